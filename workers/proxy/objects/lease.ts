import type { BlockReason } from "@relaykey/core/block-reasons";
import type { BlockedRequest } from "@relaykey/core/rpc";

/**
 * How long one answer of a holder object may be relied on. Every change waits this long at most before it is
 * reported as enforced, and every open stream is re-judged this often.
 */
export const LEASE_MS = 2_000;

/**
 * How long after the end of its lease a request may still be under way without having been re-judged: an open exchange
 * is looked at each half lease, and cut when the object has not answered within its deadline.
 */
export const FLIGHT_GRACE_MS = 4_000;

/** Refusals that only the holder object can give, because only it sees all locations. */
export type HolderBlock = Extract<
  BlockReason,
  "ip_unconfirmed" | "rate_limited" | "uses_exhausted" | "concurrency_limited"
>;

/** Allowance that goes back: not used, and from which window of each budget it came (null: a budget without windows). */
export interface Unused {
  readonly count: number;
  readonly windows: readonly (number | null)[];
}

/** What an isolate asks the holder object. */
export interface LeaseRequest {
  readonly tokenHash: string;
  /** What counts as one client: an IPv4 address or an IPv6 block (core/ip `network`); "" asks about the policy alone. */
  readonly network: string;
  /** A request that waits; sent only when its network may be new. */
  readonly caller: BlockedRequest | null;
  /** The policy version the isolate already has, so that an unchanged snapshot need not travel. */
  readonly haveVersion: number | null;
  /** Requests that wait to be started under this lease; 0 asks only whether the version is current. */
  readonly want: number;
  /** Further ones that are expected while it lasts. */
  readonly ahead: number;
  readonly unused: Unused | null;
  /** Who asks: one isolate on behalf of one network. */
  readonly lessee: string;
  /** Requests of this lessee that are under way. */
  readonly flying: number;
  /** Slots it keeps: until the answer comes, it never has more under way. */
  readonly keeps: number;
  /** Counts the questions of one isolate: messages can overtake each other. */
  readonly number: number;
}

/** What a caller from a network that is not confirmed yet is told. */
export interface ConfirmationHint {
  /** What became of the mail. `spared`: there were too many of late; `locked`: too many wrong numbers were given. */
  readonly mail: "sent" | "spared" | "unsendable" | "locked";
  /** What the holder types to confirm; null when there is nothing that could be confirmed. */
  readonly number: string | null;
  readonly expiresInMs: number | null;
}

/** How much is left of the rate that is nearest to its end, for the caller's information. */
export interface Quota {
  readonly limit: number;
  readonly windowSeconds: number;
  /** In the window, after what was handed out with this answer. */
  readonly left: number;
  /** Until the window ends. */
  readonly resetMs: number;
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
      /** Windows the allowance came from, one per budget. */
      readonly windows: readonly (number | null)[];
      /** Requests that may be under way at the same time; null = not limited. */
      readonly slots: number | null;
      readonly block: HolderBlock | null;
      /** Beside the block "ip_unconfirmed", when the question said who calls. */
      readonly confirmation: ConfirmationHint | null;
      readonly retryAfterMs: number | null;
      readonly quota: Quota | null;
    };
