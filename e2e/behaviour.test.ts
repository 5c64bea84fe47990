import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { expect, inject, test } from "vitest";
import WebSocket from "ws";
import { Admin } from "./harness.ts";

const admin = new Admin(inject("local"));
const { proxy } = admin.local;

async function echoKey(allow: readonly string[] = ["* /**"], more: object = {}) {
  return admin.createKey("echo", allow, more);
}

function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { Authorization: `Bearer ${token}` } };
}

interface Echoed {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly credential: Record<string, string>;
  readonly body: { readonly bytes: number; readonly sha256: string };
}

test("every answer carries a request id; a caller's trace goes on under it", async () => {
  const { token } = await echoKey();
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const response = await fetch(`${proxy}/echo/anything?x=1`, {
    headers: { ...bearer(token).headers, traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  const id = response.headers.get("relaykey-request-id") ?? "";
  const seen = (await response.json()) as Echoed;
  expect(seen.headers["traceparent"]).toBe(`00-${trace}-${id.replaceAll("-", "").slice(16)}-01`);
  for (const url of [`${proxy}/healthz`, `${proxy}/nothing`, `${admin.local.controlPlane}/healthz`]) {
    const answer = await fetch(url);
    expect([url, answer.headers.get("relaykey-request-id")]).toEqual([
      url,
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
    await answer.body?.cancel();
  }
});

test("the RelayKey, cookies and other people's headers never reach the vendor; the dropped names are in the audit log", async () => {
  const { token } = await echoKey();
  const response = await fetch(`${proxy}/echo/x?key=${token}&keep=1`, {
    headers: {
      Cookie: "session=1",
      "X-Forwarded-For": "1.2.3.4",
      "X-HTTP-Method-Override": "DELETE",
      "X-Echo-A": "kept",
    },
  });
  const seen = (await response.json()) as Echoed;
  expect(JSON.stringify(seen)).not.toContain(token);
  expect(seen.query).toBe("keep=1");
  expect(seen.headers).toMatchObject({ "x-echo-a": "kept" });
  // The vendor's key arrived, and does not come back although the vendor repeats its headers.
  const sha256 = createHash("sha256").update("demo-upstream-key-echo").digest("hex");
  expect(seen.credential).toMatchObject({ header: "authorization", scheme: "Bearer", sha256 });
  expect(seen.headers["authorization"]).toBe("Bearer [relaykey:redacted]***");
  for (const name of ["cookie", "x-forwarded-for", "x-http-method-override"])
    expect(seen.headers).not.toHaveProperty(name);
  const event = await admin.event(response.headers.get("relaykey-request-id"));
  expect(event.dropped_headers).toEqual(
    expect.arrayContaining(["cookie", "x-forwarded-for", "x-http-method-override"]),
  );
  expect(JSON.stringify(event)).not.toContain(token);
});

test("a redirect is handed back, and cookies of the vendor stay behind", async () => {
  const { token } = await echoKey();
  const redirect = await fetch(`${proxy}/echo/redirect`, { ...bearer(token), redirect: "manual" });
  expect(redirect.status).toBe(302);
  expect(redirect.headers.get("location")).toBe("/echo/redirected?from=redirect");
  const cookies = await fetch(`${proxy}/echo/cookies`, bearer(token));
  expect(cookies.headers.get("set-cookie")).toBeNull();
  await cookies.text();
});

test("100 MB go up as they come: the vendor sees the first bytes long before the last, and memory stays flat", async () => {
  const size = 100 * 1_024 * 1_024;
  let received = 0;
  let sent = 0;
  let sentAtFirstByte = size;
  // A server of its own: the demo upstream shares workerd's memory.
  const vendor = http.createServer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      if (received === 0) sentAtFirstByte = sent;
      received += chunk.length;
    });
    request.on("end", () => response.end(request.headers["content-length"]));
  });
  const port = await new Promise<number>((resolve) => {
    vendor.listen(0, "127.0.0.1", () => {
      resolve((vendor.address() as net.AddressInfo).port);
    });
  });
  const slug = `u-${crypto.randomUUID().slice(0, 8)}`;
  const upstream = `http://127.0.0.1:${String(port)}`;
  await admin.call("POST", "/integrations", { slug, upstream, credential: { kind: "bearer" }, secret: "s" });
  const { token } = await admin.createKey(slug, ["POST /upload"]);

  const before = residentKb(inject("workerdPid"));
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, residentKb(inject("workerdPid")))), 20);
  const answer = await new Promise<string>((resolve, reject) => {
    const request = http.request(
      `${proxy}/${slug}/upload`,
      { method: "POST", headers: { ...bearer(token).headers, "Content-Length": size } },
      (response) => {
        response.on("data", (chunk: Buffer) => {
          resolve(chunk.toString());
        });
      },
    );
    request.on("error", reject);
    const chunk = Buffer.alloc(1_024 * 1_024, 1);
    const write = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!request.write(chunk)) {
          request.once("drain", write);
          return;
        }
      }
      request.end();
    };
    write();
  });
  clearInterval(timer);
  vendor.close();
  expect(received).toBe(size);
  expect(answer).toBe(String(size));
  expect(sentAtFirstByte).toBeLessThan(size / 4);
  expect(peak - before).toBeLessThan(40 * 1_024);
});

test("a client that leaves a never-ending stream ends it at the vendor, and the event says so", async () => {
  const key = await echoKey();
  const leave = new AbortController();
  const response = await fetch(`${proxy}/echo/sse/endless`, { ...bearer(key.token), signal: leave.signal });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  leave.abort();
  await reader.read().catch(() => undefined);
  const event = await admin.event(response.headers.get("relaykey-request-id"));
  expect(event).toMatchObject({ decision: "allowed", outcome: "client_disconnected", status: 200 });
});

test("a stream under a revoked key is cut so that the client can tell, and the event says so", async () => {
  const key = await echoKey();
  const response = await fetch(`${proxy}/echo/sse/endless`, bearer(key.token));
  const reading = (async () => {
    for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>);
  })();
  const failure = expect(reading).rejects.toThrow();
  await admin.revoke(key);
  await failure;
  const event = await admin.event(response.headers.get("relaykey-request-id"));
  expect(event).toMatchObject({ decision: "allowed", outcome: "cut", reason: "token_revoked" });
});

test("an upstream that does not answer in time, and one that cannot be reached", async () => {
  const slug = `t-${crypto.randomUUID().slice(0, 8)}`;
  const credential = { kind: "bearer" };
  const slow = {
    slug: `${slug}-slow`,
    upstream: `${admin.local.upstream}/echo`,
    credential,
    timeout_ms: 1_000,
  };
  const gone = {
    slug: `${slug}-gone`,
    upstream: `http://127.0.0.1:${String(await closedPort())}`,
    credential,
  };
  for (const [body, path, status, reason] of [
    [slow, "/hang", 504, "upstream_timeout"],
    [gone, "/", 502, "upstream_unreachable"],
  ] as const) {
    await admin.call("POST", "/integrations", { ...body, secret: "demo-upstream-key-echo" });
    const { token } = await admin.createKey(body.slug, ["GET /**", "GET /"]);
    const response = await fetch(`${proxy}/${body.slug}${path}`, bearer(token));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code: reason });
    const event = await admin.event(response.headers.get("relaykey-request-id"));
    expect(event).toMatchObject({ decision: "blocked", reason });
  }
});

test("a WebSocket, with the key in the subprotocol as browsers must send it", async () => {
  const { token } = await echoKey(["GET /ws"]);
  const socket = new WebSocket(`${proxy.replace("http", "ws")}/echo/ws`, [
    "realtime",
    `openai-insecure-api-key.${token}`,
  ]);
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on("open", () => {
      socket.send("hello");
    });
    socket.on("message", (data: Buffer) => {
      resolve(data.toString());
    });
    socket.on("error", reject);
  });
  expect(answer).toBe("realtime:hello");
  expect(socket.protocol).toBe("realtime");
  socket.close();
});

test("an address outside the key's list is refused", async () => {
  const { token } = await echoKey(["GET /**"], { ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] } });
  const response = await fetch(`${proxy}/echo/x`, bearer(token));
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: "ip_not_allowed" });
});

test("a policy change is in force when the command returns", async () => {
  const key = await echoKey(["GET /a"]);
  const status = async (): Promise<number> => (await fetch(`${proxy}/echo/a`, bearer(key.token))).status;
  expect(await status()).toBe(200);
  await admin.call("PATCH", `/keys/${key.id}`, { allow: ["GET /b"] });
  expect(await status()).toBe(403);
  await admin.call("PATCH", `/keys/${key.id}`, { allow: ["GET /a"] });
  expect(await status()).toBe(200);
});

/** Bytes on the wire, as no client library would send them. */
async function raw(head: string): Promise<string> {
  const { hostname, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () =>
      socket.write(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => {
      resolve(text);
    });
    socket.on("error", reject);
  });
}

test.each(["/echo/a%2fb", "/echo/%252e%252e/x", "/echo//a", "/echo/a;b", "/echo/a%00", "/echo/%c0%af"])(
  "a raw request for %s is refused as ambiguous",
  async (path) => {
    const { token } = await echoKey();
    const answer = await raw(`GET ${path} HTTP/1.1\r\nAuthorization: Bearer ${token}`);
    expect(answer).toContain("400 Bad Request");
    expect(answer).toContain("path_ambiguous");
  },
);

test("dot segments that the server resolves cannot leave the scope", async () => {
  const { token } = await echoKey(["GET /safe/**"]);
  for (const path of ["/echo/safe/../admin", "/echo/safe/%2e%2e/admin", "/echo/safe/..%5cadmin"]) {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nAuthorization: Bearer ${token}`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[03]/);
  }
});

function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}

function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
