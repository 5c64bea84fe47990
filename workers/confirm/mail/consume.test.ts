import { encodeMail } from "@relaykey/core/mail";
import type { OutgoingMail } from "@relaykey/core/mail";
import { decodeNotice } from "@relaykey/core/notice";
import { expect, test } from "vitest";
import { HOLDER, ORGANIZATION, dependencies, doubles, dueMail, queued } from "../test/double.ts";
import { buryMail, sendMail } from "./consume.ts";
import type { Delivery, Transport } from "./transports/transport.ts";

const address = (): string => `${crypto.randomUUID()}@example.org`;

function answering(delivery: Delivery): Transport & { readonly sent: OutgoingMail[] } {
  const sent: OutgoingMail[] = [];
  return {
    sent,
    send: (mail) => {
      sent.push(mail);
      return Promise.resolve(delivery);
    },
  };
}

function signIn(to: string, id: string = crypto.randomUUID()): string {
  return encodeMail({
    v: 1,
    kind: "sign_in",
    id,
    to,
    link: "https://control.example.com/sign-in?token=x",
    code: "123456",
    ip: "203.0.113.7",
    userAgent: null,
    expiresAt: Date.UTC(2026, 10, 24, 14, 20),
  });
}

test("a mail is sent; a message that is delivered twice is one mail", async () => {
  const { deps } = await dependencies();
  const to = address();
  const { message } = await dueMail(to);
  const twice = [queued(encodeMail(message)), queued(encodeMail(message), 2)];
  await sendMail(twice, deps);
  expect(twice.map(({ fate }) => fate)).toEqual(["acked", "acked"]);
  const kept = await doubles.OUTBOX.kept(to);
  expect(kept).toHaveLength(1);
  expect(kept[0]?.text).toMatch(/^https:\/\/confirm\.example\.com\/c\/[\w-]{64}$/m);
});

test("what is repeated is the same to the letter, so that the provider knows it again", async () => {
  const transport = answering({ state: "sent" });
  const { deps } = await dependencies(transport);
  const { message } = await dueMail(address());
  await sendMail([queued(encodeMail(message)), queued(encodeMail(message), 2)], deps);
  expect(transport.sent[0]).toEqual(transport.sent[1]);
});

test("what is not due any more is not sent", async () => {
  const transport = answering({ state: "sent" });
  const { deps } = await dependencies(transport);
  const message = queued(
    encodeMail({ v: 1, kind: "confirmation", holderLocator: "0123456789abcdef", pendingId: "settled" }),
  );
  await sendMail([message], deps);
  expect([message.fate, transport.sent]).toEqual(["acked", []]);
});

test.each([
  [1, null, "retried in 10"],
  [3, null, "retried in 40"],
  [8, null, "retried in 900"],
  [1, 60, "retried in 60"],
  [8, 60, "retried in 900"],
])("attempt %i that fails for now, Retry-After %s: %s", async (attempts, retryAfterSeconds, fate) => {
  const { deps, notices } = await dependencies(
    answering({ state: "failed", detail: "451", retryAfterSeconds }),
  );
  const message = queued(signIn(address()), attempts);
  await sendMail([message], deps);
  expect([message.fate, notices]).toEqual([fate, []]);
});

test("one that fails holds its neighbours neither back nor up", async () => {
  const { deps } = await dependencies();
  const to = address();
  await doubles.CONFIRMATIONS.arrangeMail("down", "down");
  const messages = [
    queued(encodeMail({ v: 1, kind: "confirmation", holderLocator: "0123456789abcdef", pendingId: "down" })),
    queued("not a mail"),
    queued(signIn("nobody@down.example")),
    queued(signIn(to)),
  ];
  await sendMail(messages, deps);
  expect(messages.map(({ fate }) => fate)).toEqual(["retried in 10", "acked", "retried in 10", "acked"]);
  expect(await doubles.OUTBOX.kept(to)).toHaveLength(1);
});

test.each([
  ["address", "bounced"],
  ["mail", "undelivered"],
] as const)("a refusal for the %s's sake is told, once, as %s", async (fault, reason) => {
  const { deps, notices } = await dependencies(answering({ state: "refused", fault, detail: "550" }));
  const to = address();
  const { message, mail } = await dueMail(to);
  const one = queued(encodeMail(message));
  await sendMail([one], deps);
  expect(one.fate).toBe("acked");
  expect(notices).toMatchObject([
    {
      type: "holder.mail_failed",
      dedupeKey: `mail_failed:${mail.mailId}`,
      organizationId: ORGANIZATION,
      holderId: HOLDER,
      data: { reason, address: to },
    },
  ]);
  expect(decodeNotice(JSON.stringify(notices[0]))).not.toBeNull();
});

test("a dead letter is told and not sent", async () => {
  const transport = answering({ state: "sent" });
  const { deps, notices } = await dependencies(transport);
  const to = address();
  const { message } = await dueMail(to);
  const messages = [queued(encodeMail(message)), queued(signIn(to)), queued("garbage")];
  await buryMail(messages, deps);
  expect(messages.map(({ fate }) => fate)).toEqual(["acked", "acked", "acked"]);
  expect(notices).toMatchObject([
    { type: "holder.mail_failed", data: { reason: "undelivered", address: to } },
  ]);
  expect(transport.sent).toEqual([]);
});
