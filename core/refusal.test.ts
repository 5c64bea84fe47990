import { describe, expect, test } from "vitest";
import { BLOCK_REASONS } from "./block-reasons.ts";
import type { BlockReason } from "./block-reasons.ts";
import { renderRefusal } from "./refusal.ts";
import type { RefusalContext } from "./refusal.ts";

const CONTEXT: RefusalContext = {
  requestId: "id",
  docsBase: "https://docs.example/b",
  dialect: "plain",
  accept: null,
  method: "GET",
};
const reasons = Object.keys(BLOCK_REASONS) as BlockReason[];

function headers(rendered: ReturnType<typeof renderRefusal>): Record<string, string> {
  return Object.fromEntries(rendered.headers.map(([name, value]) => [name.toLowerCase(), value]));
}

test.each(reasons)("%s is readable by people, problem+json clients and SDKs", (reason) => {
  const rendered = renderRefusal(reason, CONTEXT);
  const { code, status, retryable } = BLOCK_REASONS[reason];
  expect(rendered.status).toBe(status);
  expect(JSON.parse(rendered.body)).toMatchObject({
    type: `https://docs.example/b#${code}`,
    status,
    code,
    request_id: "id",
    errors: [{ code }],
    error: { code, type: code },
  });
  expect(headers(rendered)["x-should-retry"]).toBe(retryable ? undefined : "false");
  expect(headers(rendered)["stripe-should-retry"]).toBe(retryable ? undefined : "false");
  expect(headers(rendered)["www-authenticate"] !== undefined).toBe(status === 401);
});

test("problem+json for those who ask, and no body for HEAD", () => {
  const asked = renderRefusal("scope_path", { ...CONTEXT, accept: "application/problem+json" });
  expect(headers(asked)["content-type"]).toBe("application/problem+json");
  expect(renderRefusal("scope_path", { ...CONTEXT, method: "HEAD" }).body).toBe("");
});

test("a caller cannot tell a forged token from an unknown or a mistyped one", () => {
  const bodies = (["token_malformed", "token_forged", "token_unknown"] as const).map(
    (reason) => renderRefusal(reason, CONTEXT).body,
  );
  expect(new Set(bodies).size).toBe(1);
});

describe("dialects", () => {
  test("Slack: 200 with ok: false", () => {
    const { status, body } = renderRefusal("token_revoked", { ...CONTEXT, dialect: "slack" });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ ok: false, error: "token_revoked" });
  });

  test("Octokit: no status that its retry plug-in repeats for a refusal that stays", () => {
    const final = reasons.filter(
      (reason) => !BLOCK_REASONS[reason].retryable && BLOCK_REASONS[reason].status < 500,
    );
    const left = [400, 401, 403, 404, 410, 422, 451];
    for (const reason of final)
      expect(left).toContain(renderRefusal(reason, { ...CONTEXT, dialect: "octokit" }).status);
  });

  test("AWS: an XML document", () => {
    const { body } = renderRefusal("scope_path", { ...CONTEXT, dialect: "aws", detail: "a < b & c" });
    expect(body).toContain("<Code>scope_denied</Code>");
    expect(body).toContain("a &lt; b &amp; c");
  });
});

test("the refusal's own words and wait go before the table's", () => {
  const rendered = renderRefusal("rate_limited", { ...CONTEXT, detail: "Slow down.", retryAfterSeconds: 7 });
  expect(headers(rendered)["retry-after"]).toBe("7");
  expect(JSON.parse(rendered.body)).toMatchObject({ detail: "Slow down." });
});
