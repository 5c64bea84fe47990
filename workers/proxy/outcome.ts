import type { BlockReason } from "@relaykey/core/block-reasons";
import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";

/** A refusal is a value: one entry of the closed table, and what may be said beyond it. */
export interface Refused {
  readonly ok: false;
  readonly reason: BlockReason;
  /** A more precise sentence for the caller; never contains a secret or another tenant's name. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  /** Further members of the body (RFC 9457 §3.2), for programs. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly rate?: RateLimitStatus;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | Refused;

export function refused(reason: BlockReason, more: Omit<Refused, "ok" | "reason"> = {}): Refused {
  return { ok: false, reason, ...more };
}

export function passed<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}
