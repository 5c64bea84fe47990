/** The vendor behind the proxy in tests: says what reached it, or misbehaves as the path asks. */
export default {
  async fetch(request) {
    const url = new URL(request.url);
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
