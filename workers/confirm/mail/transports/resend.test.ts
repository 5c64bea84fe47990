import { Secret } from "@relaykey/core/secret";
import { afterEach, expect, test, vi } from "vitest";
import { resendTransport } from "./resend.ts";

const MAIL = {
  id: "mail-1",
  from: "RelayKey <relaykey@example.com>",
  to: "ann@example.org",
  subject: "s",
  html: "<p>h</p>",
  text: "t",
};
const ADDRESSEE = { organizationId: "o-1", holderId: "h-1" };

afterEach(() => {
  vi.unstubAllGlobals();
});

function answering(
  status: number,
  body: object,
  headers: Record<string, string> = {},
): { requests: Request[] } {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", (input: string, init: RequestInit) => {
    requests.push(new Request(input, init));
    return Promise.resolve(Response.json(body, { status, headers }));
  });
  return { requests };
}

const transport = resendTransport("https://api.resend.com", new Secret("re_secret"));

test("a mail is posted once per id, with whom it is about", async () => {
  const { requests } = answering(200, { id: "x" });
  expect(await transport.send(MAIL, ADDRESSEE)).toEqual({ state: "sent" });
  const [request] = requests;
  expect(request?.url).toBe("https://api.resend.com/emails");
  expect(request?.headers.get("authorization")).toBe("Bearer re_secret");
  expect(request?.headers.get("idempotency-key")).toBe("mail-1");
  expect(await request?.json()).toEqual({
    from: MAIL.from,
    to: [MAIL.to],
    subject: "s",
    html: "<p>h</p>",
    text: "t",
    tags: [
      { name: "organization_id", value: "o-1" },
      { name: "holder_id", value: "h-1" },
    ],
  });
});

test.each([
  [409, "invalid_idempotent_request", {}, { state: "sent" }],
  [409, "concurrent_idempotent_requests", {}, { state: "failed" }],
  [422, "invalid_to_address", {}, { state: "refused", fault: "address" }],
  [422, "validation_error", {}, { state: "refused", fault: "mail" }],
  [401, "missing_api_key", {}, { state: "failed" }],
  [403, "invalid_api_key", {}, { state: "failed" }],
  [429, "rate_limit_exceeded", { "Retry-After": "7" }, { state: "failed", retryAfterSeconds: 7 }],
  [429, "daily_quota_exceeded", { "Retry-After": "86400" }, { state: "failed", retryAfterSeconds: 900 }],
  [500, "internal_server_error", {}, { state: "failed", retryAfterSeconds: null }],
])("%i %s", async (status, name, headers, delivery) => {
  answering(status, { name, message: "about ann@example.org" }, headers);
  const result = await transport.send(MAIL, null);
  expect(result).toMatchObject(delivery);
  expect(JSON.stringify(result)).not.toContain("ann@");
});

test("no answer is a failure, not an exception", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
  expect(await transport.send(MAIL, null)).toMatchObject({ state: "failed", detail: "unreachable" });
});
