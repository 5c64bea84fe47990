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

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RelayKey API reference</title>
<link rel="icon" href="/favicon.svg">
</head>
<body>
<noscript>This page needs JavaScript. The document itself is at <a href="${SETTINGS.url}">${SETTINGS.url}</a>.</noscript>
<script id="api-reference" data-configuration='${JSON.stringify(SETTINGS)}'></script>
<script src="/docs/scalar.js"></script>
</body>
</html>
`;

/** Scalar writes its styles into the page: this one page admits inline styles, and no inline script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The reference of the API, drawn from its OpenAPI document. */
export function referencePage(): Response {
  return new Response(PAGE, {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": POLICY,
      "Cache-Control": "public, max-age=300",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    },
  });
}
