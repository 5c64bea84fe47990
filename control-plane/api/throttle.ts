import { rateLimitFields } from "@relaykey/core/rate-limit-fields";
import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";
import type { RateLimit } from "@relaykey/core/limits";
import type { Counted, Window } from "@relaykey/db/queries/throttles";

/** How often the API may be called. */
export interface ApiLimits {
  readonly token: RateLimit;
  /** By all tokens of one address together, wrong ones included. */
  readonly address: RateLimit;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  token: { limit: 3_000, windowSeconds: 60 },
  address: { limit: 6_000, windowSeconds: 60 },
};

const TOKEN = "api-token:";
const ADDRESS = "api-address:";

/** What a call is counted against. */
export function windowsOf(
  limits: ApiLimits,
  call: { readonly tokenHash: string; readonly ip: string | null },
): Window[] {
  const windows = [{ bucket: `${TOKEN}${call.tokenHash}`, seconds: limits.token.windowSeconds }];
  return call.ip === null
    ? windows
    : [...windows, { bucket: `${ADDRESS}${call.ip}`, seconds: limits.address.windowSeconds }];
}

/**
 * Of the limits that a call was counted against, the one that is nearest to its end.
 *
 * @returns `remaining` below zero when the call is one too many.
 */
export function worst(limits: ApiLimits, counted: readonly Counted[], now: number): RateLimitStatus {
  const statuses = counted.map(({ bucket, count }) => {
    const rate = bucket.startsWith(TOKEN) ? limits.token : limits.address;
    const windowMs = rate.windowSeconds * 1_000;
    return {
      ...rate,
      remaining: rate.limit - count,
      resetSeconds: (windowMs - (now % windowMs)) / 1_000,
    };
  });
  return statuses.reduce((left, right) => (right.remaining < left.remaining ? right : left));
}

/** The header fields that tell a caller what is left, and when to come back. */
export function rateFields(status: RateLimitStatus): [name: string, value: string][] {
  const wait: [string, string][] =
    status.remaining < 0 ? [["Retry-After", String(Math.max(1, Math.ceil(status.resetSeconds)))]] : [];
  return [...rateLimitFields(status), ...wait];
}
