/** What a caller may know of the rate its key is under. */
export interface RateLimitStatus {
  /** Requests per window. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Requests that may still be made in this window. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetSeconds: number;
}

const POLICY = `"relaykey"`;

/** The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10 §3, §4). */
export function rateLimitFields(status: RateLimitStatus): [name: string, value: string][] {
  const { limit, windowSeconds, remaining, resetSeconds } = status;
  return [
    ["RateLimit-Policy", `${POLICY};q=${String(limit)};w=${String(windowSeconds)}`],
    [
      "RateLimit",
      `${POLICY};r=${String(Math.max(0, remaining))};t=${String(Math.max(0, Math.ceil(resetSeconds)))}`,
    ],
  ];
}
