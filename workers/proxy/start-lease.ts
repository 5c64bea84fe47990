import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";
import type { ConfirmationHint, HolderBlock, LeaseAnswer, Quota } from "./objects/lease.ts";

/** The token a lease is on: its hash, and the locator that names its holder's object. */
export interface LeaseSubject {
  readonly hash: string;
  readonly locator: string;
}

/** Permission to start requests from one network, until a moment of this isolate's clock. */
export interface StartLease {
  readonly until: number;
  /** The policy version the object answered under. */
  readonly version: number;
  readonly block: HolderBlock | null;
  /** What a caller from an unconfirmed network is told; null also when the object was not told who calls. */
  readonly confirmation: (ConfirmationHint & { readonly expiresAt: number | null }) | null;
  readonly retryAfterMs: number | null;
  readonly windows: readonly (number | null)[];
  /** Requests that may be under way at the same time; null = not limited. Only ever lowered. */
  slots: number | null;
  /** Until when "all slots are taken" is relied on without asking for more. */
  readonly fullUntil: number;
  /** From when on a hot key's lease is renewed ahead of its end. */
  readonly renewFrom: number;
  readonly flight: Flight;
  readonly quota: (Quota & { readonly resetAt: number }) | null;
  /** Requests that may still start; null = not limited. */
  remaining: number | null;
  /** Requests started under it: how hot the key is. */
  started: number;
  /** Requests that waited for it and found nothing left: they will be back. */
  readonly unserved: number;
}

/** The requests of one key from one network that are under way in this isolate. */
export interface Flight {
  count: number;
  /** The most that were under way at the same time since more were last asked for. */
  peak: number;
  /** Until when the object was told of it. */
  heldUntil: number;
  /** Requests that wait for one of these to end. */
  readonly waiting: Set<() => void>;
}

/** Whether the holder lets its keys be used from a network, until a moment of this isolate's clock. */
export interface NetworkLease {
  readonly until: number;
  readonly isAdmitted: boolean;
}

/** "Nothing newer than this version has been reported as enforced" until a moment of this isolate's clock. */
export interface CurrencyLease {
  readonly until: number;
  /** null: the object knows no such key. */
  readonly version: number | null;
}

/** How long "all slots are taken" is believed. */
const FULL_MS = 100;

export function newFlight(): Flight {
  return { count: 0, peak: 0, heldUntil: 0, waiting: new Set() };
}

/** What was asked, as far as the answer depends on it. */
export interface Question {
  readonly askedAt: number;
  readonly network: string;
  readonly want: number;
  readonly flying: number;
}

/** The lease that an answer is. @param waiting requests that wait for it. */
export function startLease(
  answer: Extract<LeaseAnswer, { kind: "known" }>,
  { askedAt, want, flying }: Omit<Question, "network">,
  flight: Flight,
  waiting: number,
): StartLease {
  const until = askedAt + answer.leaseMs;
  const gotAll = answer.slots === null || answer.slots >= flying + want;
  const room = Math.min(
    answer.allowance ?? Infinity,
    answer.slots === null ? Infinity : Math.max(0, answer.slots - flight.count),
  );
  return {
    until,
    version: answer.version,
    block: answer.block === "concurrency_limited" ? null : answer.block,
    confirmation: confirmationOf(answer, askedAt),
    retryAfterMs: answer.retryAfterMs,
    windows: answer.windows,
    slots: answer.slots,
    // Who got all that was asked for may ask for more at once.
    fullUntil: gotAll ? askedAt : askedAt + FULL_MS,
    renewFrom: until - answer.leaseMs / 4,
    flight,
    quota: answer.quota === null ? null : { ...answer.quota, resetAt: askedAt + answer.quota.resetMs },
    remaining: answer.allowance,
    started: 0,
    unserved: answer.block === null ? Math.max(0, waiting - room) : 0,
  };
}

function confirmationOf(
  { confirmation }: Extract<LeaseAnswer, { kind: "known" }>,
  askedAt: number,
): StartLease["confirmation"] {
  if (confirmation === null) return null;
  const { expiresInMs } = confirmation;
  return { ...confirmation, expiresAt: expiresInMs === null ? null : askedAt + expiresInMs };
}

export function isFull(lease: StartLease): boolean {
  return lease.slots !== null && lease.flight.count >= lease.slots;
}

/** What is left of the rate this lease is under, as far as this isolate knows. */
export function rateStatus(lease: StartLease, now: number): RateLimitStatus | null {
  if (lease.quota === null) return null;
  const { limit, windowSeconds, left, resetAt } = lease.quota;
  const resetSeconds = (resetAt - now) / 1_000;
  return { limit, windowSeconds, remaining: left + (lease.remaining ?? 0), resetSeconds };
}
