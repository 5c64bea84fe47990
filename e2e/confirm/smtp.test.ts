import { afterAll, beforeAll, expect, test } from "vitest";
import startMailServers from "../../workers/confirm/test/mail-servers.mjs";
import { PagesStack } from "./pages-stack.ts";

interface Servers {
  readonly authority: string;
  readonly ports: Readonly<Record<"open" | "starttls" | "tls", number>>;
  readonly board: string;
}

interface Taken {
  readonly server: string;
  readonly secure: boolean;
  readonly user: string | null;
  readonly to: readonly string[];
}

let servers: Servers;
let stop: () => Promise<void>;

beforeAll(async () => {
  let provided = "";
  stop = await startMailServers({
    provide: (_name: string, value: string) => {
      provided = value;
    },
  });
  servers = JSON.parse(provided) as Servers;
});

afterAll(() => stop());

async function takenBy(to: string): Promise<Taken[]> {
  const taken = (await (await fetch(servers.board)).json()) as Taken[];
  return taken.filter((one) => one.to.includes(to));
}

test.each(["tls", "starttls"] as const)(
  "on raw workerd, mail goes by SMTP over %s to a server whose certificate is vouched for",
  async (kind) => {
    const scheme = kind === "tls" ? "smtps" : "smtp";
    const stack = await PagesStack.start({
      vars: { RELAYKEY_MAIL_TRANSPORT: "smtp" },
      secrets: {
        SMTP_URL: `${scheme}://relay%40key:p%3Ass%20w%C3%B6rd@localhost:${String(servers.ports[kind])}`,
      },
      outbound: { kind: "network", allow: ["local"], trust: [servers.authority] },
    });
    try {
      const to = `${kind}@example.org`;
      await stack.enqueue({
        v: 1,
        kind: "alert",
        id: crypto.randomUUID(),
        to,
        organization: "Acme",
        title: "A key was frozen",
        text: [],
        action: null,
      });
      await expect
        .poll(() => takenBy(to), { timeout: 20_000 })
        .toMatchObject([{ server: kind, secure: true, user: "relay@key" }]);
    } finally {
      await stack.stop();
    }
  },
);
