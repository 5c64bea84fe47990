import { rateLimitFields } from "@relaykey/core/rate-limit-fields";
import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";
import type { RateLimit } from "@relaykey/core/limits";
import type { Taken, Throttle } from "@relaykey/db/queries/throttles";
import { networkOf } from "../service/throttle.ts";

/** How often the API may be called. */
export interface ApiLimits {
  readonly token: RateLimit;
  /** By all tokens of one address together (of IPv6: of one /64), wrong ones included. */
  readonly address: RateLimit;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  token: { limit: 3_000, windowSeconds: 60 },
  address: { limit: 6_000, windowSeconds: 60 },
};

const TOKEN = "api-token:";
const ADDRESS = "api-address:";

/** What a call is counted against. */
export function throttlesOf(
  { token, address }: ApiLimits,
  call: { readonly tokenHash: string; readonly ip: string | null },
): Throttle[] {
  const throttle = (bucket: string, { limit, windowSeconds: seconds }: RateLimit) => ({
    bucket,
    limit,
    seconds,
  });
  const own = throttle(`${TOKEN}${call.tokenHash}`, token);
  return call.ip === null ? [own] : [own, throttle(`${ADDRESS}${networkOf(call.ip)}`, address)];
}

/** A limit that a call was counted against. */
interface Standing extends RateLimitStatus {
  readonly admitted: boolean;
}

/** Of the limits that a call was counted against, the one that refused it, or else the one that is nearest to its end. */
export function worst(limits: ApiLimits, taken: readonly Taken[], now: number): Standing {
  const standings = taken.map(({ bucket, admitted, used, freeAt }) => {
    const rate = bucket.startsWith(TOKEN) ? limits.token : limits.address;
    return {
      ...rate,
      admitted,
      remaining: rate.limit - used,
      resetSeconds: ((freeAt ?? now) - now) / 1_000,
    };
  });
  const place = ({ admitted, remaining }: Standing) => (admitted ? remaining : -1);
  return standings.reduce((left, right) => (place(right) < place(left) ? right : left));
}

/** The header fields that tell a caller what is left, and when to come back. */
export function rateFields(status: RateLimitStatus, admitted: boolean): [name: string, value: string][] {
  const wait: [string, string][] = admitted
    ? []
    : [["Retry-After", String(Math.max(1, Math.ceil(status.resetSeconds)))]];
  return [...rateLimitFields(status), ...wait];
}
