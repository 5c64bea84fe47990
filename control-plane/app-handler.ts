import { createRequestHandler } from "@remix-run/cloudflare";
import type { ServerBuild } from "@remix-run/cloudflare";
import type { Dependencies } from "./config.ts";
import * as build from "./build/server/index.js";
import { sayFaults } from "./faults.ts";

/** What the dashboard needs of the control plane. */
export type AppDependencies = Omit<Dependencies, "assets">;

declare module "@remix-run/cloudflare" {
  interface AppLoadContext {
    readonly deps: AppDependencies;
    /** Admits this answer's own inline scripts (CSP Level 3, nonce-source). */
    readonly nonce: string;
    /** Names this answer, on its page and in the log, when something is wrong. */
    readonly requestId: string;
  }
}

const handle = createRequestHandler(sayFaults(build as ServerBuild), "production");

/** Answers a page of the dashboard, with the header fields that every page has. */
export async function handleApp(
  request: Request,
  deps: AppDependencies,
  requestId: string,
): Promise<Response> {
  if (isCrossSite(request)) return new Response("This form was sent from another site.", { status: 403 });
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const response = await handle(request, { deps, nonce, requestId });
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(securityHeaders(nonce, formTargets(request, deps))))
    answer.headers.set(name, value);
  return answer;
}

/**
 * Forms count only from our own pages: `Origin` must be ours where it is sent, and `Sec-Fetch-Site`, which no page can
 * set, must say so too (Fetch Metadata).
 */
function isCrossSite(request: Request): boolean {
  if (request.method === "GET" || request.method === "HEAD") return false;
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if (origin !== null && origin !== new URL(request.url).origin) return true;
  if (site !== null) return site !== "same-origin";
  return origin === null;
}

/**
 * Where forms of a page may lead. A form is sent to us; but browsers hold the redirect that answers it to the same rule
 * (CSP Level 3, form-action), so the page of plans names the pages of Stripe.
 */
function formTargets(request: Request, { stripe }: AppDependencies): string {
  const isPlans = new URL(request.url).pathname === "/settings/plan";
  return ["'self'", ...(isPlans && stripe !== null ? stripe.pageOrigins : [])].join(" ");
}

function securityHeaders(nonce: string, formAction: string): Record<string, string> {
  return {
    "Content-Security-Policy": [
      "default-src 'none'",
      `script-src 'self' 'nonce-${nonce}'`,
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      `form-action ${formAction}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    // Not "no-referrer": browsers then send `Origin: null` with our own forms (Fetch, "append a request Origin header").
    "Referrer-Policy": "same-origin",
  };
}
