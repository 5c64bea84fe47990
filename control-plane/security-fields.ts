const YEAR_SECONDS = 31_536_000;

/**
 * Header fields of every answer that does not set its own: what is no page runs nothing, is framed by nothing and is read by
 * no other site. Pages have a policy of their own (app-handler.ts).
 */
export function baseFields(controlUrl: string): Readonly<Record<string, string>> {
  return {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    ...(controlUrl.startsWith("https:")
      ? { "Strict-Transport-Security": `max-age=${String(YEAR_SECONDS)}` }
      : {}),
  };
}
