const VALID_DAYS = 180;
const DAY_MS = 86_400_000;

/**
 * Whom to tell of a weakness (RFC 9116).
 *
 * @param contact a `mailto:` or `https:` URI.
 */
export function securityTxt(contact: string, controlUrl: string, now: number): Response {
  // The same all day, so that it can be compared; never further ahead than the year that the RFC advises (§2.5.5).
  const expires = new Date((Math.floor(now / DAY_MS) + VALID_DAYS) * DAY_MS).toISOString();
  const lines = [
    `Contact: ${contact}`,
    `Expires: ${expires}`,
    "Preferred-Languages: en",
    `Canonical: ${controlUrl}/.well-known/security.txt`,
  ];
  return new Response(`${lines.join("\n")}\n`, { headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
