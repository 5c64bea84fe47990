import { describe, expect, test } from "vitest";
import { callerResponseHeaders, continueTrace, upstreamRequestHeaders } from "./headers.ts";

const ID = "01900000-0000-7000-8123-456789abcdef";

describe("request headers", () => {
  test("only safe and admitted fields travel; the names of the others are reported", () => {
    const { headers, dropped } = upstreamRequestHeaders(
      new Headers({ "Content-Type": "text/plain", "OpenAI-Beta": "x", "X-Unknown": "1", Cookie: "a=b" }),
      ["openai-*"],
    );
    expect(Object.fromEntries(headers)).toEqual({
      "accept-encoding": "identity",
      "content-type": "text/plain",
      "openai-beta": "x",
    });
    expect(dropped).toEqual(["cookie", "x-unknown"]);
  });

  test.each([
    "authorization",
    "cookie",
    "host",
    "proxy-authorization",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "cf-connecting-ip",
    "x-http-method-override",
    "x-original-url",
    "x-rewrite-url",
    "true-client-ip",
    "te",
  ])("%s never travels, even where an integration names it", (name) => {
    const { headers, dropped } = upstreamRequestHeaders(new Headers({ [name]: "x" }), [name, "x-*"]);
    expect(headers.has(name)).toBe(false);
    expect(dropped).toEqual([name]);
  });

  test("a field that Connection nominates is hop-by-hop, also a safe one", () => {
    const source = new Headers({ Connection: "close, Idempotency-Key", "Idempotency-Key": "1" });
    expect(upstreamRequestHeaders(source, []).headers.has("idempotency-key")).toBe(false);
  });
});

describe("response headers", () => {
  test("cookies and hop-by-hop fields end here, the vendor's own fields pass", () => {
    const headers = callerResponseHeaders(
      new Headers({
        "Set-Cookie": "a=b",
        "Proxy-Authenticate": "x",
        "x-request-id": "vendor",
        "RelayKey-Request-Id": "forged",
      }),
      ID,
      { responseCookies: false },
    );
    expect(Object.fromEntries(headers)).toEqual({ "relaykey-request-id": ID, "x-request-id": "vendor" });
  });

  test("cookies pass where the integration asks for it, each on its own", () => {
    const source = new Headers({ "x-a": "1" });
    source.append("Set-Cookie", "a=1, x");
    source.append("Set-Cookie", "b=2");
    const headers = callerResponseHeaders(source, ID, { responseCookies: true });
    expect(headers.getSetCookie()).toEqual(["a=1, x", "b=2"]);
  });
});

describe("trace context", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

  test("a caller's trace goes on under our request id", () => {
    const target = new Headers();
    continueTrace(
      new Headers({ traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: "a=b" }),
      target,
      ID,
    );
    expect(target.get("traceparent")).toBe(`00-${trace}-8123456789abcdef-01`);
    expect(target.get("tracestate")).toBe("a=b");
  });

  test.each(["", "00-x-y-z", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, `ff-${trace}-00f067aa0ba902b7-01`])(
    "a malformed one (%s) does not",
    (traceparent) => {
      const target = new Headers();
      continueTrace(new Headers({ traceparent, tracestate: "a=b" }), target, ID);
      expect([...target]).toEqual([]);
    },
  );
});
