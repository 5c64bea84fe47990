const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Outbox · RelayKey</title>
  </head>
  <body>
    <main>
      <h1>Outbox</h1>
      <p>No mail yet. This version of RelayKey sends none; what it would send will be shown here.</p>
    </main>
  </body>
</html>
`;

export default {
  fetch(request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return Response.json({ status: "ok" });
    if (pathname !== "/") return new Response("Not Found", { status: 404 });
    const headers = {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    };
    return new Response(PAGE, { headers });
  },
} satisfies ExportedHandler;
