import { Hono } from "hono";
import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Dependencies } from "./config.ts";
import { EndPage } from "./pages/ends.tsx";
import { pageHeaders } from "./pages/headers.ts";
import { HelpPage } from "./pages/help.tsx";
import { Visit } from "./visit.tsx";
import type { Shown } from "./visit.tsx";
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

app.get("/c/:code", async (c) => show(c, await visit(c).look(c.req.param("code"))));

app.post("/c/:code", async (c) => {
  const form = await readForm(c.req.raw);
  const shown = await visit(c).answer(c.req.param("code"), form ?? new URLSearchParams());
  return show(c, shown);
});

app.post("/webhooks/resend", (c) => receiveResendEvent(c.req.raw, c.env.deps, Date.now()));

app.notFound((c) => c.html(<EndPage end="unknown" nonce={c.get("nonce")} />, 404));

function visit(c: AppContext): Visit {
  return new Visit(c.env.deps, c.req.raw, c.get("nonce"), Date.now());
}

async function show(c: AppContext, { status, page, cookie }: Shown): Promise<Response> {
  if (cookie !== null) c.header("Set-Cookie", cookie);
  return c.html(page, status as StatusCode as 200);
}

/** @returns null for a body that is no form of ours. */
async function readForm(request: Request): Promise<URLSearchParams | null> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (type !== "application/x-www-form-urlencoded" || !(length <= FORM_LIMIT)) return null;
  return new URLSearchParams(await request.text());
}
