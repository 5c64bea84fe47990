import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { Admin } from "../harness.ts";
import type { IssuedKey } from "../harness.ts";
import { ODD_QUERIES, escapes, randomPaths } from "./hostile.ts";
import { field, request, sendRaw } from "./raw-http.ts";
import { startRecorder } from "./recorder.ts";
import type { Recorder } from "./recorder.ts";

/** G3: what is decided is what is sent. The upstream here keeps the bytes of what reaches it. */
const admin = new Admin(inject("local"));
const { proxy } = admin.local;
const slug = `wire-${crypto.randomUUID().slice(0, 8)}`;
let recorder: Recorder;
let key: IssuedKey;

beforeAll(async () => {
  recorder = await startRecorder();
  await admin.call("POST", "/integrations", {
    slug,
    upstream: recorder.origin,
    credential: { kind: "bearer" },
    secret: `wire-${crypto.randomUUID()}`,
    request_headers: ["x-allowed"],
  });
  key = await admin.createKey(slug, ["GET /v1/allowed/**", "POST /v1/allowed/**"]);
});

afterAll(() => recorder.close());

beforeEach(() => {
  recorder.take();
  recorder.answerWith(null);
});

function authorization(): string {
  return `Authorization: Bearer ${key.token}`;
}

/** Sends targets below the integration's prefix; gives what the proxy answered and what the upstream then saw. */
async function sendAll(
  targets: readonly string[],
): Promise<{ answered: number; seen: string[]; sent: Set<string> }> {
  const sent = new Set<string>();
  let answered = 0;
  const queue = targets.values();
  const worker = async (): Promise<void> => {
    for (const target of queue) {
      sent.add(target);
      const answer = await sendRaw(proxy, request("GET", `/${slug}${target}`, [authorization()]));
      if (answer.status > 0) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return { answered, seen: recorder.take().map(({ target }) => target), sent };
}

/** A target that reached the upstream must be one that was sent, and inside the scope however it is read. */
function outside(seen: readonly string[], sent: ReadonlySet<string>): string[] {
  return seen.filter((target) => {
    const path = target.split("?")[0] ?? "";
    // workerd itself resolves dot segments before a Worker sees a URL: what results is judged, and must be in scope.
    const isSent =
      sent.has(target) || [...sent].some((other) => new URL(other, "http://h").pathname === path);
    const read = new URL(target, "http://h").pathname;
    return !isSent || !path.startsWith("/v1/allowed/") || read !== path || /secret/.test(decodeTwice(path));
  });
}

function decodeTwice(path: string): string {
  let text = path;
  for (let round = 0; round < 2; round += 1) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return text;
    }
  }
  return new URL(text.replaceAll("\\", "/"), "http://h").pathname;
}

test("G3: no spelling of a way out of the scope reaches the upstream, and what does is byte for byte what was sent", async () => {
  const { answered, seen, sent } = await sendAll(escapes());
  expect(sent.size).toBeGreaterThan(1_000);
  expect(answered).toBeGreaterThan(sent.size * 0.9);
  expect(outside(seen, sent)).toEqual([]);
  expect(recorder.garbage).toEqual([]);
}, 120_000);

test("G3: nor does a random mixture of all the pieces", async () => {
  const targets = randomPaths(20_261_123, 1_500)
    .filter((path) => !/[ \t\0\r\n]/.test(path))
    .map((path) => `/v1/allowed${path}`);
  const { seen, sent } = await sendAll(targets);
  expect(outside(seen, sent)).toEqual([]);
}, 120_000);

test("ordinary and odd targets go on unchanged", async () => {
  const paths = [
    "/v1/allowed/a",
    "/v1/allowed/a/",
    "/v1/allowed/%C3%A9",
    "/v1/allowed/a%20b.txt",
    "/v1/allowed/a:b@c~d",
  ];
  const targets = [
    ...paths,
    ...ODD_QUERIES.filter((query) => !/['"<>]/.test(query)).map((query) => `/v1/allowed/q?${query}`),
  ];
  for (const target of targets) {
    const answer = await sendRaw(proxy, request("GET", `/${slug}${target}`, [authorization()]));
    const [seen] = recorder.take();
    if (seen === undefined) expect([target, answer.status]).toEqual([target, 400]);
    else expect(seen.target).toBe(target === "/v1/allowed/q??" ? "/v1/allowed/q??" : target);
  }
});

describe("methods", () => {
  test.each(["get", "Get", "GET ", "DELETE", "TRACE", "CONNECT", "PROPFIND", "G\x00T"])(
    "%j does not pass as GET",
    async (method) => {
      await sendRaw(proxy, request(method, `/${slug}/v1/allowed/a`, [authorization()]), 2_000);
      expect(recorder.take()).toEqual([]);
    },
  );

  test.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"])(
    "%s does not travel",
    async (name) => {
      await sendRaw(
        proxy,
        request("POST", `/${slug}/v1/allowed/a`, [authorization(), `${name}: DELETE`, "Content-Length: 0"]),
      );
      const [seen] = recorder.take();
      expect(seen?.method).toBe("POST");
      expect(field(seen?.head ?? "", name)).toBeNull();
    },
  );
});

test.each([
  "X-Original-URL: /v1/secret/x",
  "X-Rewrite-URL: /v1/secret/x",
  "X-Forwarded-For: 1.2.3.4",
  "X-Forwarded-Host: evil.example",
  "X-Forwarded-Prefix: /v1/secret",
  "Forwarded: for=1.2.3.4;host=evil.example",
  "X-Real-IP: 1.2.3.4",
  "CF-Connecting-IP: 1.2.3.4",
  "True-Client-IP: 1.2.3.4",
  "Cookie: a=b",
  "Proxy-Authorization: Basic eDp5",
  "TE: trailers",
])("%s does not travel, nor decide", async (line) => {
  const answer = await sendRaw(proxy, request("GET", `/${slug}/v1/allowed/a`, [authorization(), line]));
  expect(answer.status).toBe(200);
  const [seen] = recorder.take();
  expect(field(seen?.head ?? "", line.split(":")[0] ?? "")).toBeNull();
  const event = await admin.event(field(answer.text, "relaykey-request-id"));
  expect(event.ip).toBe("127.0.0.1");
});

test("fields that Connection nominates die in both directions", async () => {
  recorder.answerWith(
    "HTTP/1.1 200 OK\r\nConnection: X-Secret-Hop, keep-alive\r\nX-Secret-Hop: 1\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\nok",
  );
  const raw = `GET /${slug}/v1/allowed/a HTTP/1.1\r\nHost: h\r\nConnection: close, X-Allowed\r\nX-Allowed: 1\r\n${authorization()}\r\n\r\n`;
  const answer = await sendRaw(proxy, raw);
  const [seen] = recorder.take();
  expect(field(seen?.head ?? "", "x-allowed")).toBeNull();
  expect(field(answer.text, "x-kept")).toBe("1");
  expect(field(answer.text, "x-secret-hop")).toBeNull();
});

describe("one request stays one request", () => {
  const inner = `GET /v1/secret/x HTTP/1.1\r\nHost: h\r\n\r\n`;
  const head = (fields: readonly string[]): string =>
    `POST /${slug}/v1/allowed/a HTTP/1.1\r\nHost: h\r\n${authorization()}\r\n${fields.join("\r\n")}\r\n\r\n`;

  test.each([
    ["both framings", ["Content-Length: 4", "Transfer-Encoding: chunked"], `0\r\n\r\n${inner}`],
    [
      "both framings, the other way",
      ["Transfer-Encoding: chunked", "Content-Length: 6"],
      `0\r\n\r\n${inner}`,
    ],
    ["two lengths", ["Content-Length: 0", `Content-Length: ${String(inner.length)}`], inner],
    ["a length that is a list", [`Content-Length: 0, ${String(inner.length)}`], inner],
    ["a signed length", ["Content-Length: +0"], inner],
    ["an unknown coding", ["Transfer-Encoding: xchunked"], `0\r\n\r\n${inner}`],
    ["a coding with white space", ["Transfer-Encoding : chunked"], `0\r\n\r\n${inner}`],
    ["a folded field", ["X-Allowed: a", " Transfer-Encoding: chunked"], `0\r\n\r\n${inner}`],
    ["a chunk extension", ["Transfer-Encoding: chunked"], `0;\n\r\n\r\n${inner}`],
    ["a bare line feed", ["X-Allowed: a\nTransfer-Encoding: chunked"], `0\r\n\r\n${inner}`],
    ["a carriage return in a value", ["X-Allowed: a\rX-Other: b"], inner],
  ])("%s", async (_, fields, body) => {
    await sendRaw(proxy, head(fields) + body, 1_500);
    const seen = recorder.take();
    expect(seen.filter(({ target }) => target !== "/v1/allowed/a")).toEqual([]);
    expect(seen.length).toBeLessThanOrEqual(1);
    expect(recorder.garbage).toEqual([]);
  });
});
