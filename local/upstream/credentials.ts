/** The keys that this upstream accepts, so that an answer proves the right key arrived. */
export function vendorKey(slug: string): string {
  return slug === "twilio"
    ? `AC${"0123456789abcdef".repeat(2)}:demo-upstream-key-twilio`
    : `demo-upstream-key-${slug}`;
}

/** How each vendor takes its key; everything else is refused as the vendor refuses it. */
const PLACES: Readonly<Record<string, (headers: Headers) => string | null>> = {
  anthropic: (headers) => headers.get("x-api-key"),
  google: (headers) => headers.get("x-goog-api-key"),
  elevenlabs: (headers) => headers.get("xi-api-key"),
  twilio: (headers) => basic(headers),
};

/** Whether the request carries the vendor's key where the vendor expects it. */
export function isAuthentic(slug: string, headers: Headers): boolean {
  const place = PLACES[slug] ?? bearer;
  return place(headers) === vendorKey(slug);
}

function bearer(headers: Headers): string | null {
  return /^Bearer (\S+)$/.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

function basic(headers: Headers): string | null {
  const encoded = /^Basic (\S+)$/.exec(headers.get("authorization") ?? "")?.[1];
  return encoded === undefined ? null : atob(encoded);
}
