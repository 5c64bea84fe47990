import { API_BASE } from "./app.ts";

/** Nothing of it comes from elsewhere: no default fonts, no telemetry, no proxy, no hosted assistant. */
const SETTINGS = {
  url: `${API_BASE}/openapi.json`,
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: "never",
} as const;

const NONCE_BYTES = 16;

/** The reference of the API, drawn by Scalar from its OpenAPI document. No style and no script is inline (public/docs/reference.js). */
export function referencePage(): Response {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(NONCE_BYTES))));
  return new Response(page(nonce), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy(nonce),
      "Cache-Control": "no-store",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
    },
  });
}

function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<title>RelayKey API reference</title>
<link rel="icon" href="/favicon.svg">
</head>
<body>
<noscript>This page needs JavaScript. The document itself is at <a href="${SETTINGS.url}">${SETTINGS.url}</a>.</noscript>
<script id="api-reference" data-configuration='${JSON.stringify(SETTINGS)}'></script>
<script src="/docs/reference.js"></script>
<script src="/docs/scalar.js"></script>
</body>
</html>
`;
}

/** The nonce is for styles alone: whoever could read it off the page runs no script with it. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
