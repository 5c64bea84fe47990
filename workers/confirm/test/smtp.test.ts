import { env } from "cloudflare:workers";
import { Secret } from "@relaykey/core/secret";
import type { OutgoingMail } from "@relaykey/core/mail";
import PostalMime from "postal-mime";
import { expect, test } from "vitest";
import { parseMailbox } from "@relaykey/core/mailbox";
import { parseSmtpUrl } from "@relaykey/core/smtp-url";
import { smtpTransport } from "../mail/transports/smtp.ts";
import type { Delivery } from "../mail/transports/transport.ts";

interface Taken {
  readonly server: string;
  readonly secure: boolean;
  readonly user: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

const { ports, board } = JSON.parse((env as unknown as { MAIL_SERVERS: string }).MAIL_SERVERS) as {
  ports: Record<"open" | "starttls" | "tls", number>;
  board: string;
};
const FROM = parseMailbox("RelayKey <relaykey@example.com>");
const LOGIN = "relay%40key:p%3Ass%20w%C3%B6rd";

function mail(to: string, more: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    id: crypto.randomUUID(),
    from: "RelayKey <relaykey@example.com>",
    to,
    subject: "Was this you?",
    text: "text",
    html: "<p>html</p>",
    ...more,
  };
}

async function send(url: string, letter: OutgoingMail): Promise<Delivery> {
  const settings = parseSmtpUrl(url);
  if (settings === null || FROM === null) throw new Error("malformed");
  return smtpTransport(settings, FROM).send(letter, null);
}

async function takenBy(to: string): Promise<Taken[]> {
  const taken = await (await fetch(board)).json<Taken[]>();
  return taken.filter((one) => one.to.includes(to));
}

test("what was written is what is read, also dots, long lines and other scripts", async () => {
  const text = `.\n..\n.leading\r\n${"long ".repeat(400)}\nПривет 👋\n.\nQUIT\n`;
  const html = `<p>${"x".repeat(3_000)}</p>\n.\n`;
  const letter = mail("reader@example.org", {
    text,
    html,
    subject: `“Ключ” ${"é👋".repeat(30)} of Ann\r\nBcc: e@example.org`,
  });
  expect(await send(`smtp://127.0.0.1:${String(ports.open)}?security=none`, letter)).toEqual({
    state: "sent",
  });
  const [taken] = await takenBy("reader@example.org");
  expect(taken?.to).toEqual(["reader@example.org"]);
  const read = await PostalMime.parse(taken?.raw ?? "");
  expect(read.subject).toBe(letter.subject);
  expect(read.bcc ?? []).toEqual([]);
  expect(read.from).toEqual({ name: "RelayKey", address: "relaykey@example.com" });
  expect(read.messageId).toBe(`<${letter.id}@example.com>`);
  expect(read.text?.replaceAll("\r\n", "\n").trim()).toBe(text.replaceAll("\r\n", "\n").trim());
  expect(read.html?.trim()).toBe(html.trim());
  expect(Math.max(...(taken?.raw ?? "").split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(78);
});

test.each([
  ["refused@example.org", { state: "refused", fault: "address", detail: "recipient 550 5.1.1" }],
  ["blocked@example.org", { state: "failed", detail: "recipient 554 5.7.1", retryAfterSeconds: null }],
  ["busy@example.org", { state: "failed", detail: "recipient 451 4.3.0", retryAfterSeconds: null }],
  ["spam@example.org", { state: "refused", fault: "mail", detail: "content 554 5.6.0" }],
  ["a@example.org>\r\nRCPT TO:<b@example.org", { state: "refused", fault: "address", detail: "malformed" }],
  ["a@example.org, b@example.org", { state: "refused", fault: "address", detail: "malformed" }],
])("to %s: %j", async (to, delivery) => {
  expect(await send(`smtp://127.0.0.1:${String(ports.open)}?security=none`, mail(to))).toEqual(delivery);
  expect(await takenBy(to)).toEqual([]);
});

test("a server that does not offer STARTTLS is handed neither a password nor a mail", async () => {
  const to = "stripped@example.org";
  expect(await send(`smtp://${LOGIN}@127.0.0.1:${String(ports.open)}`, mail(to))).toMatchObject({
    state: "failed",
    detail: "no_starttls",
  });
  expect(await takenBy(to)).toEqual([]);
});

test.each([
  ["a certificate that nobody vouches for", `smtps://${LOGIN}@localhost:${String(ports.tls)}`],
  ["one after STARTTLS", `smtp://${LOGIN}@localhost:${String(ports.starttls)}`],
  ["no such server", "smtps://localhost:1"],
  ["TLS where there is none", `smtps://${LOGIN}@localhost:${String(ports.open)}`],
])("%s is a failure, not an exception", async (_name, url) => {
  expect(await send(url, mail("nobody@example.org"))).toMatchObject({ state: "failed" });
  expect(await takenBy("nobody@example.org")).toEqual([]);
});

test.each([
  ["the right password", LOGIN, { state: "sent" }],
  [
    "a wrong one is the operator's to put right",
    "relay%40key:hunter2",
    { state: "failed", detail: "auth 535" },
  ],
])("AUTH with %s", async (_name, login, delivery) => {
  const url = `smtp://${login}@127.0.0.1:${String(ports.open)}?security=none`;
  expect(await send(url, mail("auth@example.org"))).toMatchObject(delivery);
});

test.each([
  ["smtps://u:p@mail.example.com", { port: 465, security: "tls" }],
  ["smtp://u:p@mail.example.com", { port: 587, security: "starttls" }],
  ["smtp://localhost:1025?security=none", { port: 1_025, security: "none" }],
])("%s is understood", (url, settings) => {
  expect(parseSmtpUrl(url)).toMatchObject(settings);
  expect(parseSmtpUrl(url)?.password).toBeInstanceOf(Secret);
});

test.each([
  "http://mail.example.com",
  "smtp://mail.example.com?security=none",
  "smtps://localhost?security=none",
  "smtp://mail.example.com/path",
  "smtp://u:%ff@mail.example.com",
  "smtp://",
  "mail.example.com",
])("%s is not", (url) => {
  expect(parseSmtpUrl(url)).toBeNull();
});
