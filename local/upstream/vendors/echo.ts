import { digestBody, endless } from "../reply.ts";

/** A vendor that shows what reached it, and misbehaves on request. */
export async function echo(request: Request, path: string, url: URL): Promise<Response | null> {
  switch (path) {
    case "/hang":
      await scheduler.wait(600_000);
      return new Response("late");
    case "/slow":
      await scheduler.wait(Math.min(Number(url.searchParams.get("ms") ?? "1000"), 60_000));
      return new Response("slow");
    case "/sse/endless":
      return endless();
    case "/redirect":
      return new Response(null, {
        status: 302,
        headers: { Location: `${url.origin}/echo/redirected?from=redirect` },
      });
    case "/cookies":
      return new Response("ok", { headers: { "Set-Cookie": "session=vendor; HttpOnly" } });
    case "/bytes":
      return bytes(Number(url.searchParams.get("n") ?? "1024"));
    case "/ws":
      return socket(request);
  }
  const status = /^\/status\/([2-5]\d\d)$/.exec(path)?.[1];
  if (status !== undefined) return new Response(`status ${status}`, { status: Number(status) });
  return Response.json({
    method: request.method,
    path,
    query: url.search.slice(1),
    credential: await credentialThatArrived(request.headers),
    headers: Object.fromEntries(request.headers),
    body: await digestBody(request),
  });
}

/** Which credential arrived, so that it can be told from others without being repeated. */
async function credentialThatArrived(headers: Headers): Promise<object | null> {
  const value = headers.get("authorization");
  if (value === null) return null;
  const [scheme = "", secret = ""] = value.split(" ");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { header: "authorization", scheme, sha256, ending: secret.slice(-4) };
}

/** `n` bytes in chunks, made as they are read. */
function bytes(n: number): Response {
  const chunk = new Uint8Array(64 * 1_024).fill(0x78);
  let left = n;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left <= 0) {
        controller.close();
        return;
      }
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      controller.enqueue(part.slice());
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/octet-stream" } });
}

/** Sends every message back, prefixed with the subprotocol that was agreed on. */
function socket(request: Request): Response {
  if (request.headers.get("upgrade") !== "websocket")
    return new Response("Upgrade Required", { status: 426 });
  const offered = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
  const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  server.accept();
  server.addEventListener("message", (event) => {
    const data = event.data as string | ArrayBuffer;
    server.send(typeof data === "string" ? `${offered ?? ""}:${data}` : data);
  });
  server.addEventListener("close", (event) => {
    server.close(event.code === 1005 ? 1000 : event.code, event.reason);
  });
  const headers = offered === undefined ? undefined : { "Sec-WebSocket-Protocol": offered };
  return new Response(null, {
    status: 101,
    webSocket: client,
    ...(headers === undefined ? {} : { headers }),
  });
}
