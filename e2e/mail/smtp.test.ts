import { afterAll, beforeAll, expect, test } from "vitest";
import startMailServers from "../../workers/confirm/test/mail-servers.mjs";
import { MailStack } from "./mail-stack.ts";

interface Servers {
  readonly authority: string;
  readonly ports: Readonly<Record<"open" | "starttls" | "tls", number>>;
  readonly board: string;
}

interface Taken {
  readonly server: string;
  readonly secure: boolean;
  readonly user: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

const LOGIN = "relay%40key:p%3Ass%20w%C3%B6rd";
const POLL = { timeout: 40_000, interval: 200 };
const OFFICE = "127.0.0.2";
const CAFE = "127.0.0.3";

let servers: Servers;
let stopServers: () => Promise<void>;
let stack: MailStack;
let smtpUrl = "";
beforeAll(async () => {
  let provided = "";
  stopServers = await startMailServers({
    provide: (_name: string, value: string) => {
      provided = value;
    },
  });
  servers = JSON.parse(provided) as Servers;
  smtpUrl = `smtp://${LOGIN}@localhost:${String(servers.ports.starttls)}`;
  const from = "RelayKey <relaykey@example.com>";
  stack = await MailStack.start({ transport: "smtp", from, url: smtpUrl, authorities: [servers.authority] });
});
afterAll(async () => {
  await stack.remove();
  await stopServers();
});

async function takenBy(to: string): Promise<Taken[]> {
  const taken = (await (await fetch(servers.board)).json()) as Taken[];
  return taken.filter((one) => one.to.includes(to));
}

/** The bodies of a mail, whose parts are in base64. */
function bodies({ raw }: Taken): string {
  const parts = raw.match(/(?:^[A-Za-z0-9+/=]{1,76}\r?\n)+/gm) ?? [];
  return parts.map((part) => Buffer.from(part, "base64").toString()).join("\n");
}

test("the mail of a 423 goes by STARTTLS to a server of one's own, and its link leads to where the pages are", async () => {
  const person = await stack.person();
  expect(await stack.call(person, OFFICE)).toMatchObject({ status: 423, mail: "sent" });
  await expect
    .poll(() => takenBy(person.email), POLL)
    .toMatchObject([
      {
        server: "starttls",
        secure: true,
        user: "relay@key",
        from: "relaykey@example.com",
        to: [person.email],
      },
    ]);
  const [mail] = await takenBy(person.email);
  if (mail === undefined) throw new Error("It was there a moment ago.");
  const text = bodies(mail);
  expect(text).toContain(OFFICE);
  expect(await stack.openLink(text)).toMatchObject({
    status: 200,
    html: expect.stringContaining("Was this you?") as string,
  });
});

test("an address that the server refuses marks its holder; one that it refuses for now does not", async () => {
  const [gone, busy] = await Promise.all([
    stack.person(`refused@${crypto.randomUUID()}.example`),
    stack.person(`busy@${crypto.randomUUID()}.example`),
  ]);
  await stack.call(busy, OFFICE);
  await stack.call(gone, OFFICE);
  await expect.poll(() => stack.mailState(gone), POLL).toMatchObject({ state: "bounced" });
  await expect.poll(async () => (await stack.call(gone, CAFE)).mail, POLL).toBe("unsendable");
  expect(await stack.dashboard(`/holders/${gone.holderId}`)).toContain("Mail to it bounces");
  expect(await stack.dashboard(`/holders/${busy.holderId}`)).not.toContain("Mail to it bounces");
  expect(await stack.mailState(busy)).toEqual({ state: "ok", at: null });
});

test("the password stands in no file of the installation", () => {
  const written = stack.written();
  for (const secret of [LOGIN, "p:ss wörd", smtpUrl]) expect(written.includes(secret)).toBe(false);
});
