import { Hono } from "hono";
import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Dependencies } from "./config.ts";
import { Asking } from "./asking.tsx";
import { EndPage } from "./pages/ends.tsx";
import { pageHeaders } from "./pages/headers.ts";
import { HelpPage } from "./pages/help.tsx";
import { ReviewVisit } from "./review-visit.tsx";
import { Sitting } from "./sitting.tsx";
import type { Shown } from "./sitting.tsx";
import { Visit } from "./visit.tsx";
import { receiveResendEvent } from "./webhook/resend.ts";

/** What each request is handed. */
interface Bindings {
  readonly deps: Dependencies;
  readonly requestId: string;
}

type AppContext = Context<{ Bindings: Bindings; Variables: { nonce: string } }>;

/** More than any form of ours; a page is not read into memory without end. */
const FORM_LIMIT = 8_192;

/** The pages behind the links in holders' mail, and what else is called by people's browsers or mail providers. */
export const app = new Hono<{ Bindings: Bindings; Variables: { nonce: string } }>();

app.use(async (c, next) => {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  c.set("nonce", nonce);
  await next();
  for (const [name, value] of Object.entries(pageHeaders(nonce))) c.res.headers.set(name, value);
  c.res.headers.set("RelayKey-Request-Id", c.env.requestId);
});

app.get("/healthz", (c) => c.json({ status: "ok" }));
app.get("/help", (c) => c.html(<HelpPage nonce={c.get("nonce")} />));

// "Was this you?"
app.get("/c/:code", async (c) =>
  show(c, await new Visit(sitting(c), c.req.param("code")).look(c.req.query("freeze") !== undefined)),
);
app.post("/c/:code", async (c) =>
  show(c, await new Visit(sitting(c), c.req.param("code")).answer(await readForm(c.req.raw))),
);

// "Where do my keys work?"
app.get("/networks", async (c) => show(c, await new Asking(sitting(c)).look()));
app.post("/networks", async (c) => show(c, await new Asking(sitting(c)).answer(await readForm(c.req.raw))));
app.get("/n/:code", async (c) => show(c, await review(c, c.req.param("code")).look()));
app.post("/n/:code", async (c) =>
  show(c, await review(c, c.req.param("code")).answer(await readForm(c.req.raw))),
);

app.post("/webhooks/resend", (c) => receiveResendEvent(c.req.raw, c.env.deps, Date.now()));

app.notFound((c) => c.html(<EndPage end="unknown" nonce={c.get("nonce")} />, 404));

function sitting(c: AppContext): Sitting {
  return new Sitting(c.env.deps, c.req.raw, c.get("nonce"), Date.now());
}

function review(c: AppContext, code: string): ReviewVisit {
  return new ReviewVisit(sitting(c), code, new URL(c.req.url).searchParams);
}

async function show(c: AppContext, shown: Shown): Promise<Response> {
  if ("location" in shown) return c.redirect(shown.location, 303);
  if (shown.cookie !== null) c.header("Set-Cookie", shown.cookie);
  return c.html(shown.page, shown.status as StatusCode as 200);
}

/** A body that is no form of ours is an empty one. */
async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (type !== "application/x-www-form-urlencoded" || !(length <= FORM_LIMIT)) return new URLSearchParams();
  return new URLSearchParams(await request.text());
}
