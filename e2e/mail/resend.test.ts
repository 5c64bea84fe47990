import { randomBytes } from "node:crypto";
import { Resend } from "resend";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MailStack } from "./mail-stack.ts";
import type { Person } from "./mail-stack.ts";
import { RATE_LIMITED, startResend } from "./resend-server.ts";
import type { ResendServer } from "./resend-server.ts";

const API_KEY = `re_${randomBytes(16).toString("hex")}`;
const WEBHOOK_SECRET = `whsec_${randomBytes(24).toString("base64")}`;
const POLL = { timeout: 40_000, interval: 200 };
const OFFICE = "127.0.0.2";
const CAFE = "127.0.0.3";
const TRAIN = "127.0.0.4";

let resend: ResendServer;
let stack: MailStack;
beforeAll(async () => {
  resend = await startResend(API_KEY);
  stack = await MailStack.start({
    transport: "resend",
    from: "RelayKey <relaykey@example.com>",
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    baseUrl: resend.url,
  });
});
afterAll(async () => {
  await stack.remove();
  await resend.close();
});

/** Tells of a mail as Resend does, signed by its library. */
async function tell(
  { email }: Person,
  type: string,
  data: object = {},
  secret = WEBHOOK_SECRET,
): Promise<number> {
  const [posted] = resend.postedTo(email);
  const tags = Object.fromEntries((posted?.body.tags ?? []).map(({ name, value }) => [name, value]));
  const body = JSON.stringify({
    type,
    created_at: new Date().toISOString(),
    data: { email_id: crypto.randomUUID(), to: [email], tags, ...data },
  });
  const id = `msg_${crypto.randomUUID()}`;
  const now = new Date();
  const response = await fetch(`${stack.admin.local.confirm}/webhooks/resend`, {
    method: "POST",
    body,
    headers: {
      "Content-Type": "application/json",
      "svix-id": id,
      "svix-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "svix-signature": new Webhook(secret).sign(id, now, body),
    },
  });
  return response.status;
}

/** Somebody who was mailed about a new network. */
async function mailed(): Promise<Person> {
  const person = await stack.person();
  expect(await stack.call(person, OFFICE)).toMatchObject({ status: 423, mail: "sent" });
  await expect.poll(() => resend.postedTo(person.email).length, POLL).toBe(1);
  return person;
}

test("the mail of a 423 reaches Resend once, with its tags, and its link leads to where the pages are", async () => {
  const person = await mailed();
  const [mail] = resend.postedTo(person.email);
  expect(mail).toMatchObject({
    status: 200,
    idempotencyKey: expect.stringMatching(/\S{8,}/) as string,
    body: {
      from: "RelayKey <relaykey@example.com>",
      to: [person.email],
      subject: expect.stringContaining("Was this you?") as string,
      text: expect.stringContaining(OFFICE) as string,
      tags: [{ name: "organization_id" }, { name: "holder_id", value: person.holderId }],
    },
  });
  const page = await stack.openLink(mail?.body.text ?? "");
  expect(page).toMatchObject({ status: 200, html: expect.stringContaining("Was this you?") as string });
  // Again from there: the entry is the same, and so is its mail.
  expect(await stack.call(person, OFFICE)).toMatchObject({ status: 423 });
  expect(resend.postedTo(person.email)).toHaveLength(1);
});

test("a mail that is refused for now is the same mail when it is tried again", async () => {
  const person = await stack.person();
  resend.answerNext(person.email, RATE_LIMITED);
  await stack.call(person, OFFICE);
  await expect
    .poll(() => resend.postedTo(person.email).map(({ status }) => status), POLL)
    .toEqual([429, 200]);
  const [first, second] = resend.postedTo(person.email);
  expect(second?.idempotencyKey).toBe(first?.idempotencyKey);
  expect(second?.body).toEqual(first?.body);
});

test.each([
  [
    "email.bounced",
    { bounce: { type: "Permanent", subType: "General", message: "no such user" } },
    "bounced",
  ],
  ["email.complained", {}, "complained"],
] as const)(
  "%s marks the holder, in the API and for its keys: no further mail",
  async (type, data, state) => {
    const person = await mailed();
    expect(await stack.mailState(person)).toEqual({ state: "ok", at: null });
    expect(await tell(person, type, data)).toBe(204);
    await expect.poll(() => stack.mailState(person), POLL).toMatchObject({ state });
    expect((await stack.mailState(person)).at).not.toBeNull();
    await expect.poll(async () => (await stack.call(person, CAFE)).mail, POLL).toBe("unsendable");
    expect(resend.postedTo(person.email)).toHaveLength(1);

    // Another address is another mailbox.
    const email = `new-${person.email}`;
    await stack.admin.call("PATCH", `/holders/${person.holderId}`, { email });
    expect(await stack.mailState(person)).toEqual({ state: "ok", at: null });
    expect(await stack.call(person, TRAIN)).toMatchObject({ status: 423, mail: "sent" });
    await expect.poll(() => resend.postedTo(email).length, POLL).toBe(1);
  },
);

test("a full mailbox, and what somebody else signed, mark nobody", async () => {
  const person = await mailed();
  expect(await tell(person, "email.bounced", { bounce: { type: "Transient" } })).toBe(204);
  const foreign = `whsec_${randomBytes(24).toString("base64")}`;
  expect(await tell(person, "email.complained", {}, foreign)).toBe(401);
  const marked = await mailed();
  await tell(marked, "email.complained");
  // Told after them: by now they have been heard.
  await expect.poll(() => stack.mailState(marked), POLL).toMatchObject({ state: "complained" });
  expect(await stack.mailState(person)).toEqual({ state: "ok", at: null });
});

test("Resend hears of no secret but its own, and that stands in no file of the installation", () => {
  const wire = resend.wire.join("\n");
  const written = stack.written();
  expect(wire).toContain(`Bearer ${API_KEY}`);
  expect(wire).not.toMatch(/rk_(?:proxy|mgmt)_[0-9A-Za-z]{20}/);
  for (const secret of [...stack.secrets(), WEBHOOK_SECRET, "demo-upstream-key-echo"]) {
    expect(wire.includes(secret)).toBe(false);
  }
  for (const secret of [...stack.secrets(), API_KEY, WEBHOOK_SECRET])
    expect(written.includes(secret)).toBe(false);
  for (const link of wire.match(/\/c\/[\w-]{64}/g) ?? []) expect(written.includes(link)).toBe(false);
});

test("what answers here answers Resend's own SDK, too", async () => {
  const client = new Resend(API_KEY, { baseUrl: resend.url });
  const mail = { from: "a@example.com", to: "sdk@example.org", subject: "Hi", text: "Hello" };
  const options = { idempotencyKey: crypto.randomUUID() };
  const first = await client.emails.send(mail, options);
  expect((await client.emails.send(mail, options)).data?.id).toBe(first.data?.id);
  const changed = await client.emails.send({ ...mail, text: "Other" }, options);
  expect(changed.error).toMatchObject({ name: "invalid_idempotent_request", statusCode: 409 });
  resend.answerNext(mail.to, RATE_LIMITED);
  expect((await client.emails.send(mail)).error).toMatchObject({
    name: "rate_limit_exceeded",
    statusCode: 429,
  });
  const stranger = new Resend("re_wrong", { baseUrl: resend.url });
  expect((await stranger.emails.send(mail)).error).toMatchObject({
    name: "invalid_api_key",
    statusCode: 403,
  });
});
