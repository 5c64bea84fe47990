import { answerKms, controlKms } from "./kms.js";

/** What reached each host, for tests that say that nothing did. */
const seen = new Map();

/** The vendor behind the proxy in tests: says what reached it, or misbehaves as the path asks. */
export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.hostname === "seen.example.com")
      return Response.json(seen.get(url.searchParams.get("host")) ?? []);
    seen.set(url.hostname, [...(seen.get(url.hostname) ?? []), `${request.method} ${request.url}`]);
    if (/^kms\.[a-z0-9-]+\.amazonaws\.com$/.test(url.hostname)) return answerKms(request);
    switch (url.hostname) {
      case "kms-control.example.com":
        return controlKms(url);
      case "refuses.example.com":
        return Response.json({ error: "no such key" }, { status: 401 });
      case "limits.example.com":
        return new Response(null, { status: 429 });
      case "redirects.example.com":
        return new Response(null, { status: 302, headers: { Location: "https://accepts.example.com/" } });
      case "breaks.example.com":
        throw new Error("connection refused");
      case "slack-yes.example.com":
        return Response.json({ ok: true });
      case "slack-no.example.com":
        return Response.json({ ok: false, error: "invalid_auth" });
    }
    switch (url.pathname) {
      case "/v1/hang":
        await scheduler.wait(30_000);
        break;
      case "/v1/unreachable":
        throw new Error("connection refused");
      case "/v1/redirect":
        return new Response(null, { status: 302, headers: { Location: `${url.origin}/v1/elsewhere?a=1` } });
      case "/v1/redirect-here":
        return new Response(null, { status: 302, headers: { Location: "#again" } });
      case "/v1/upload": {
        const origin = url.searchParams.get("to") === "own" ? url.origin : "https://elsewhere.example";
        const query = url.searchParams.get("to") === "own" ? "?upload_id=a" : "";
        return new Response("ok", { headers: { "x-goog-upload-url": `${origin}/v1/upload/7${query}` } });
      }
      case "/v1/encoded":
        return new Response("opaque", {
          headers: { "Content-Encoding": url.searchParams.get("as") ?? "" },
          encodeBody: "manual",
        });
      case "/v1/reflect":
        return reflect(request, url.searchParams);
      case "/v1/cookies":
        return new Response("ok", { headers: { "Set-Cookie": "session=1", "x-request-id": "vendor-id" } });
      case "/v1/stream":
        return new Response(
          new ReadableStream({
            async pull(controller) {
              controller.enqueue(new TextEncoder().encode("data: tick\n\n"));
              await scheduler.wait(50);
            },
          }),
          { headers: { "Content-Type": "text/event-stream" } },
        );
    }
    const body = await request.text();
    return Response.json({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body,
    });
  },
};

/** Repeats the credential that reached it, spelled and divided as asked. */
async function reflect(request, query) {
  const key = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
  const text = {
    raw: key,
    base64: btoa(`x${key}`),
    percent: encodeURIComponent(key),
    json: JSON.stringify({ key }),
  }[query.get("as") ?? "raw"];
  const bytes = new TextEncoder().encode(`data: before ${text} after\n\n`);
  const headers = new Headers({ "Content-Type": "text/event-stream", "x-echo": `key=${text}` });
  headers.append("Set-Cookie", `a=${text}`);
  if (query.get("how") === "whole") return new Response(bytes, { status: 401, headers });
  if (query.get("how") === "gzip") {
    headers.set("Content-Encoding", "gzip");
    return new Response(bytes, { headers });
  }
  let at = 0;
  const pieces = new ReadableStream({
    async pull(controller) {
      if (at === bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + 1));
      at += 1;
    },
  });
  if (query.get("how") === "length") {
    const { readable, writable } = new FixedLengthStream(bytes.length);
    void pieces.pipeTo(writable);
    return new Response(readable, { headers });
  }
  return new Response(pieces, { headers });
}
