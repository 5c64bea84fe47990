import { probeOf } from "@relaykey/core/catalogue/probes";
import { isAuthentic } from "./credentials.ts";
import { echo } from "./vendors/echo.ts";
import { anthropic, elevenlabs, google, openai } from "./vendors/models.ts";
import { cloudflare, github, resend, slack, stripe, twilio } from "./vendors/services.ts";

type Vendor = (request: Request, path: string, url: URL) => Promise<Response | null> | Response | null;

/** By the first path segment: `/{vendor}/…`. */
const VENDORS: Readonly<Record<string, Vendor>> = {
  openai,
  anthropic,
  google,
  elevenlabs,
  stripe,
  resend,
  cloudflare,
  github,
  slack,
  twilio,
  echo,
};

/** Requests that started, by "METHOD /path": what tests count. */
const started = new Map<string, number>();

export default {
  async fetch(request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/healthz") return Response.json({ status: "ok" });
    if (url.pathname === "/__counts") return Response.json(Object.fromEntries(started));
    const [, slug = ""] = url.pathname.split("/");
    const path = url.pathname.slice(slug.length + 1);
    const vendor = Object.hasOwn(VENDORS, slug) ? VENDORS[slug] : undefined;
    if (vendor === undefined)
      return Response.json({ error: { message: "No such vendor." } }, { status: 404 });
    const name = `${request.method} ${url.pathname}`;
    started.set(name, (started.get(name) ?? 0) + 1);
    if (!isAuthentic(slug, request.headers)) return unauthorized(slug);
    return (await vendor(request, path, url)) ?? probed(slug, request.method, path) ?? notFound(slug, name);
  },
} satisfies ExportedHandler;

/** What the catalogue asks a vendor with to see whether it accepts a key. */
function probed(slug: string, method: string, path: string): Response | null {
  const probe = probeOf(slug);
  const wanted = probe?.path.split("?")[0];
  if (probe?.method !== method || wanted === undefined || !path.endsWith(wanted)) return null;
  return Response.json({ ok: true, object: "list", data: [] });
}

/** Refused in the vendor's own words, so that its SDK understands. */
function unauthorized(slug: string): Response {
  const message = "Incorrect API key provided.";
  if (slug === "slack") return Response.json({ ok: false, error: "invalid_auth" });
  return Response.json(
    { type: "error", message, error: { type: "authentication_error", message } },
    { status: 401 },
  );
}

function notFound(slug: string, name: string): Response {
  const message = `Unknown request: ${name}`;
  if (slug === "slack") return Response.json({ ok: false, error: "unknown_method" });
  return Response.json({ type: "error", message, error: { type: "not_found", message } }, { status: 404 });
}
