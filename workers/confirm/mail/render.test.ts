import { encodeMail } from "@relaykey/core/mail";
import type { MailMessage } from "@relaykey/core/mail";
import fc from "fast-check";
import { linkifyit } from "linkify-it";
import { expect, test } from "vitest";
import { aView, dependencies, dueMail, dueReview } from "../test/double.ts";
import { compose } from "./compose.ts";

const EXPIRES = Date.UTC(2026, 10, 24, 14, 20);
const MAILS: Record<string, Exclude<MailMessage, { kind: "confirmation" | "review" }>> = {
  sign_in: {
    v: 1,
    kind: "sign_in",
    id: "1",
    to: "ann@example.org",
    link: "https://control.example.com/sign-in?token=a&b=c",
    code: "493021",
    ip: "203.0.113.7",
    userAgent: "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15",
    expiresAt: EXPIRES,
  },
  invitation: {
    v: 1,
    kind: "invitation",
    id: "2",
    to: "ann@example.org",
    link: "https://control.example.com/join?token=x",
    organization: "Acme",
    invitedBy: "Bob",
    role: "member",
    expiresAt: EXPIRES,
  },
  alert: {
    v: 1,
    kind: "alert",
    id: "3",
    to: "ann@example.org",
    organization: "Acme",
    title: "A key was frozen",
    text: ["Ann said that a call was not hers.", "The key is frozen."],
    action: { label: "Issue a new key", url: "https://control.example.com/keys/1/replace" },
  },
};

const linkify = linkifyit();

/** The links that a mail program would see in a text, beside those that are meant. */
function strayLinks(text: string, meant: readonly string[]): string[] {
  return (linkify.match(text) ?? []).map(({ url }) => url).filter((url) => !meant.includes(url));
}

/** The text that HTML shows, tags and links left out. */
function shownText(html: string): string {
  return html
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

test.each(Object.entries(MAILS))("%s: HTML and text say the same", async (_kind, message) => {
  const { deps } = await dependencies();
  encodeMail(message);
  const { mail } = (await compose(message, deps)) ?? {};
  if (mail === undefined) throw new Error("nothing was composed");
  const words = (text: string): string => text.toLowerCase().replace(/[\s:]+/g, " ");
  const html = words(shownText(mail.html));
  for (const paragraph of mail.text.split(/\n\n+/)) {
    for (const line of words(paragraph.replace(/https?:\S+/g, "").replace(/^-- /, "")).split(/ {2,}/)) {
      expect(html).toContain(line.trim());
    }
  }
  const link = "link" in message ? message.link : message.action?.url;
  expect(mail.text).toContain(link);
  expect(mail.html).toContain(`href="${link?.replaceAll("&", "&amp;") ?? ""}"`);
});

test("a confirmation tells what happened where, and what to do", async () => {
  const { deps } = await dependencies();
  const { message } = await dueMail("ann@example.org");
  const { mail, addressee } = (await compose(message, deps)) ?? {};
  expect(mail?.subject).toBe("Was this you? “Laptop” was used from a new address");
  for (const fact of [
    "203.0.113.7",
    "Berlin, Germany",
    "Deutsche Telekom AG (AS3320)",
    "curl 8.14.1",
    "POST openai:/v1/chat/completions",
    "24 Nov 2026, 14:05 UTC",
    "Laptop (rk_proxy_…a1b2)",
    "Acme",
  ]) {
    expect(mail?.text).toContain(fact);
    expect(shownText(mail?.html ?? "")).toContain(fact);
  }
  expect(addressee).toMatchObject({ organizationId: expect.any(String) as string });
});

test("a mail that its holder asked for leads to their networks", async () => {
  const { deps } = await dependencies();
  const { message, mail: due } = await dueReview("ann@example.org");
  encodeMail(message);
  const { mail, addressee } = (await compose(message, deps)) ?? {};
  expect(mail).toMatchObject({ id: due.mailId, to: "ann@example.org", subject: "Where your keys work" });
  expect(mail?.text).toMatch(/^https?:\S+\/n\/[A-Za-z0-9_-]{64}$/m);
  expect(mail?.text).toContain("24 Nov 2026, 14:50 UTC");
  expect(addressee).toEqual({ organizationId: due.organizationId, holderId: due.holderId });
  expect(await compose({ ...message, generation: 1_000_000 } as MailMessage, deps)).toBeNull();
});

test("a mail loads nothing and follows nobody", async () => {
  const { deps } = await dependencies();
  const { message } = await dueMail("ann@example.org");
  const html = (await compose(message, deps))?.mail.html ?? "";
  expect(html).not.toMatch(
    /<(?:img|script|link|iframe|object|form|input)\b|url\(|@import|@font-face|\bsrc=/i,
  );
});

const hostile = fc.oneof(
  fc.constantFrom(
    `<script>alert(1)</script>`,
    `"><a href="https://evil.example">click</a>`,
    "https://evil.example/login",
    "www.evil.example",
    "evil.com",
    "ann@evil.com",
    "evil。com",
    "mailto:ann@evil.com",
    "//evil.com/x",
    "line\r\nBcc: eve@evil.com",
    "\u202Egnp.exe",
    "\u2028\u2029\u0000\u001b[31m",
    "a".repeat(5_000),
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.emailAddress(),
  fc.domain(),
);

test("no hostile word becomes markup, a link, a second line or a second header", async () => {
  const { deps } = await dependencies();
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, async (userAgent, path, name) => {
      const { pending } = aView();
      const request = { ...pending.request, userAgent, path: `/${path}`, integration: "openai" };
      const view = aView({ keyName: name, organizationName: name, pending: { ...pending, request } });
      const { message } = await dueMail("ann@example.org", view);
      const mail = (await compose(message, deps))?.mail;
      if (mail === undefined) throw new Error("nothing was composed");
      expect(mail.subject).not.toMatch(/\p{Cc}/u);
      expect(mail.html).not.toMatch(/<script|<img|<a [^>]*evil/i);
      const meant = [...mail.text.matchAll(/^https:\/\/\S+$/gm)].map(([url]) => url);
      expect(meant).toHaveLength(3);
      expect(strayLinks(mail.text, meant)).toEqual([]);
      expect(strayLinks(shownText(mail.html), meant)).toEqual([]);
      expect(mail.text.length).toBeLessThan(4_000);
      expect(mail.text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: 300 },
  );
});

test("nor does one in a mail about networks", async () => {
  const { deps } = await dependencies();
  await fc.assert(
    fc.asyncProperty(hostile, async (name) => {
      const { message } = await dueReview("ann@example.org", { holderName: name, organizationName: name });
      const mail = (await compose(message, deps))?.mail;
      if (mail === undefined) throw new Error("nothing was composed");
      expect(mail.html).not.toMatch(/<script|<img|<a [^>]*evil/i);
      const meant = [...mail.text.matchAll(/^https:\/\/\S+$/gm)].map(([url]) => url);
      expect(meant).toHaveLength(2);
      expect(strayLinks(mail.text, meant)).toEqual([]);
      expect(strayLinks(shownText(mail.html), meant)).toEqual([]);
      expect(mail.text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: 100 },
  );
});
