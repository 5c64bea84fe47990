import type { BlockReason } from "@relaykey/core/block-reasons";

/**
 * How long one answer of a holder object may be relied on. Every change waits this long at most before it is
 * reported as enforced, and every open stream is re-judged this often.
 */
export const LEASE_MS = 2_000;

/** Refusals that only the holder object can give, because only it sees all locations. */
export type HolderBlock = Extract<BlockReason, "ip_unconfirmed" | "rate_limited" | "uses_exhausted">;

/** What an isolate asks the holder object. */
export interface LeaseRequest {
  readonly tokenHash: string;
  /** What counts as one client: an IPv4 address or an IPv6 /64 (core/ip `network`). */
  readonly network: string;
  /** The policy version the isolate already has, so that an unchanged snapshot need not travel. */
  readonly haveVersion: number | null;
  /** Requests the isolate would like to start under this lease; 0 asks only whether the version is current. */
  readonly want: number;
  /** Unused allowance handed back, and the window it was granted in (null when the key has no rate). */
  readonly unused: { readonly count: number; readonly windowStart: number | null } | null;
}

/** What the holder object answers. Its clock never travels: durations only. */
export type LeaseAnswer =
  | { readonly kind: "unknown"; readonly leaseMs: number }
  | {
      readonly kind: "known";
      readonly leaseMs: number;
      readonly version: number;
      /** Encoded snapshot, present when the isolate's version differs. */
      readonly snapshot: string | null;
      /** Requests that may start under this lease; null = not limited. */
      readonly allowance: number | null;
      readonly windowStart: number | null;
      readonly block: HolderBlock | null;
      readonly retryAfterMs: number | null;
    };
