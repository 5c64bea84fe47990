import { Hono } from "hono";
import { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import { newId } from "@relaykey/core/ids";

/**
 * The pages behind the links in holders' mail. No link has been sent by this version, so no link is valid: each is
 * answered as one that has expired or was mistyped would be, and nothing happens on any request.
 */
const app = new Hono<{ Bindings: Env }>();

app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
  }),
);
app.use(async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
  c.header("RelayKey-Request-Id", newId());
});

app.get("/healthz", (c) => c.json({ status: "ok" }));

app.notFound((c) =>
  c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>Link not valid · RelayKey</title>
        </head>
        <body>
          <main>
            <h1>This link is not valid</h1>
            <p>
              It may have expired, or part of it may be missing. Nothing was confirmed and nothing was
              changed.
            </p>
            <p>Send your request again to get a new mail, or ask your administrator.</p>
          </main>
        </body>
      </html>`,
    404,
  ),
);

export default app;
