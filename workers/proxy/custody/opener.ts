import { CustodyError, isPassing } from "@relaykey/core/custody/problems";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { contextText, needsCustomerKey, openSecret, unwrapEnvelope } from "@relaykey/core/envelope";
import type { EnvelopeContext, Keyring, UnwrappedEnvelope } from "@relaykey/core/envelope";
import type { Secret } from "@relaykey/core/secret";
import { BoundedMap } from "../bounded-map.ts";
import { DeadlineExceeded, within } from "../deadline.ts";
import type { Keep } from "../lease-book.ts";
import { LEASE_MS } from "../objects/lease.ts";
import { passed, refused } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { KMS_DEADLINE_MS } from "./kms.ts";

/** Envelopes whose data key one isolate keeps unwrapped. */
const CAPACITY = 5_000;
/** An unwrapped data key of this age is asked for again while it is in use, so that no request has to wait for it. */
const AHEAD_MS = LEASE_MS / 2;
/** A refusal is believed for so long: calls that are refused must not become as many calls of the customer's KMS. */
const REFUSED_MS = 1_000;
/** With the time that signing and opening take. */
const WAIT_MS = KMS_DEADLINE_MS + 250;

interface Unwrapping {
  readonly unwrapped: Promise<UnwrappedEnvelope>;
  /** Isolate clock, before the customer's key was asked. */
  readonly askedAt: number;
  /** From here on it is asked again. */
  until: number;
  isRenewing: boolean;
}

/** A vendor key in clear: use it at once and drop it. */
export interface Opened {
  readonly secret: Secret;
  /** Isolate clock: from here on the customer's key must be asked again. */
  readonly until: number;
}

/**
 * Opens sealed vendor keys. A data key is unwrapped once and kept, non-extractable. One that a customer's key had to open is
 * kept for one lease only, counted from before it was asked: when the customer's key refuses, use ends within a lease.
 */
export class EnvelopeOpener {
  readonly keyring: Keyring;
  readonly #unwrappings = new BoundedMap<string, Unwrapping>(CAPACITY);
  readonly #now: () => number;

  constructor(keyring: Keyring, now: () => number) {
    this.keyring = keyring;
    this.#now = now;
  }

  /** Opens what is sealed in an envelope. A refusal is one of three entries of the table. */
  async open(envelope: string, context: EnvelopeContext, keep: Keep): Promise<Outcome<Opened>> {
    // All of the context: what was unwrapped for one destination is not there for another.
    const key = contextText(context) + envelope;
    const unwrapping = this.#current(key, envelope, context, keep);
    try {
      const unwrapped = await within(unwrapping.unwrapped, WAIT_MS, "The customer's key");
      return passed({ secret: await openSecret(unwrapped), until: unwrapping.until });
    } catch (error) {
      // It belonged to a request that is gone, perhaps, and will never end.
      if (error instanceof DeadlineExceeded && this.#unwrappings.get(key) === unwrapping) {
        this.#unwrappings.delete(key);
      }
      return refused(reasonOf(error));
    }
  }

  #current(key: string, envelope: string, context: EnvelopeContext, keep: Keep): Unwrapping {
    const known = this.#unwrappings.get(key);
    if (known === undefined || this.#now() >= known.until) {
      const fresh = this.#ask(envelope, context, keep);
      this.#unwrappings.set(key, fresh);
      return fresh;
    }
    const isDue = this.#now() >= known.askedAt + AHEAD_MS && known.until !== Infinity;
    if (isDue && !known.isRenewing) this.#renew(key, known, this.#ask(envelope, context, keep), keep);
    return known;
  }

  #ask(envelope: string, context: EnvelopeContext, keep: Keep): Unwrapping {
    const askedAt = this.#now();
    const unwrapped = unwrapEnvelope(envelope, context, this.keyring);
    const until = needsCustomerKey(envelope) ? askedAt + LEASE_MS : Infinity;
    const unwrapping: Unwrapping = { unwrapped, askedAt, until, isRenewing: false };
    keep(
      unwrapped.then(
        () => undefined,
        () => {
          unwrapping.until = Math.min(unwrapping.until, this.#now() + REFUSED_MS);
        },
      ),
    );
    return unwrapping;
  }

  /** The answer replaces the one before, also when it is a refusal; only where there was none the one before lasts to its end. */
  #renew(key: string, known: Unwrapping, next: Unwrapping, keep: Keep): void {
    known.isRenewing = true;
    const replace = (): void => {
      if (this.#unwrappings.get(key) === known) this.#unwrappings.set(key, next);
    };
    keep(
      next.unwrapped.then(replace, (error: unknown) => {
        if (reasonOf(error) === "custody_key_unreachable") known.isRenewing = false;
        else replace();
      }),
    );
  }
}

function reasonOf(error: unknown): BlockReason {
  if (error instanceof DeadlineExceeded) return "custody_key_unreachable";
  if (!(error instanceof CustodyError)) return "secret_unavailable";
  return isPassing(error.problem) ? "custody_key_unreachable" : "custody_key_refused";
}
