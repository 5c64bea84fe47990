import { utf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import { expect, test } from "vitest";
import type { Dependencies } from "../config.ts";
import { HOLDER, ORGANIZATION, dependencies } from "../test/double.ts";
import { receiveResendEvent } from "./resend.ts";

const SECRET = utf8("a secret of thirty-two characters");
const NOW = Date.UTC(2026, 10, 24, 14, 0);

interface Sent {
  readonly type?: string;
  readonly data?: object;
  readonly secret?: Bytes;
  readonly at?: number;
  readonly signature?: (signature: string) => string;
  readonly body?: (body: string) => string;
}

async function receive({
  type = "email.bounced",
  data = {},
  secret = SECRET,
  at = NOW,
  ...change
}: Sent = {}): Promise<{
  status: number;
  notices: Record<string, unknown>[];
}> {
  const { deps, notices } = await dependencies();
  const whole: Dependencies = { ...deps, webhookSecret: SECRET };
  const event = {
    type,
    created_at: "2026-11-24T14:00:00Z",
    data: {
      email_id: "e-1",
      to: ["ann@example.org"],
      bounce: { type: "Permanent", subType: "General", message: "no such user" },
      tags: { organization_id: ORGANIZATION, holder_id: HOLDER },
      ...data,
    },
  };
  const body = JSON.stringify(event);
  const timestamp = String(Math.floor(at / 1_000));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, utf8(`msg_1.${timestamp}.${body}`));
  const signature = `v1,${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
  const sent = change.body?.(body) ?? body;
  const request = new Request("https://confirm.example.com/webhooks/resend", {
    method: "POST",
    body: sent,
    headers: {
      "Content-Length": String(utf8(sent).length),
      "svix-id": "msg_1",
      "svix-timestamp": timestamp,
      "svix-signature": change.signature?.(signature) ?? signature,
    },
  });
  const { status } = await receiveResendEvent(request, whole, NOW);
  return { status, notices };
}

test.each([
  ["email.bounced", {}, "bounced"],
  ["email.bounced", { bounce: { type: "Transient" } }, "undelivered"],
  ["email.complained", {}, "complained"],
  ["email.suppressed", {}, "bounced"],
  ["email.failed", {}, "undelivered"],
  [
    "email.bounced",
    {
      tags: [
        { name: "organization_id", value: ORGANIZATION },
        { name: "holder_id", value: HOLDER },
      ],
    },
    "bounced",
  ],
])("%s %j marks the holder: %s", async (type, data, reason) => {
  expect(await receive({ type, data })).toEqual({
    status: 204,
    notices: [
      {
        v: 1,
        type: "holder.mail_failed",
        dedupeKey: "mail_failed:msg_1",
        organizationId: ORGANIZATION,
        keyId: null,
        holderId: HOLDER,
        integrationId: null,
        at: NOW,
        data: { reason, address: "ann@example.org" },
      },
    ],
  });
});

test.each([
  ["email.delivered", {}],
  ["email.opened", {}],
  ["domain.updated", {}],
  ["email.bounced", { tags: {} }],
  ["email.bounced", { tags: { organization_id: "1; DROP TABLE", holder_id: HOLDER } }],
])("%s %j marks nobody", async (type, data) => {
  expect(await receive({ type, data })).toEqual({ status: 204, notices: [] });
});

test.each<[string, Sent, number]>([
  ["another secret", { secret: utf8("some other secret, as long as that") }, 401],
  ["a delivery of ten minutes ago", { at: NOW - 600_000 }, 401],
  ["a delivery of the future", { at: NOW + 600_000 }, 401],
  ["no signature", { signature: () => "" }, 401],
  ["a signature of another version", { signature: (text) => text.replace("v1,", "v2,") }, 401],
  ["a signature cut short", { signature: (text) => text.slice(0, -4) }, 401],
  ["a body changed on its way", { body: (body) => body.replace("ann@", "bob@") }, 401],
  ["a body that is too large", { body: (body) => body + " ".repeat(300_000) }, 413],
])("%s is refused", async (_name, sent, status) => {
  expect(await receive(sent)).toEqual({ status, notices: [] });
});

test("one of several signatures is enough, as while a secret is being changed", async () => {
  expect(await receive({ signature: (text) => `v1,AAAA ${text}` })).toMatchObject({ status: 204 });
});

test("without the secret nothing is taken, and the answer names it", async () => {
  const { deps } = await dependencies();
  const request = new Request("https://confirm.example.com/webhooks/resend", { method: "POST", body: "{}" });
  const response = await receiveResendEvent(request, deps, NOW);
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("RESEND_WEBHOOK_SECRET");
});
