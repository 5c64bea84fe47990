import type { KnownKey } from "./directory.ts";
import type { Keep } from "./lease-book.ts";
import type { LeaseSubject } from "./start-lease.ts";
import { within } from "./deadline.ts";
import { LEASE_MS } from "./objects/lease.ts";
import { refused } from "./outcome.ts";
import type { Outcome, Refused } from "./outcome.ts";

/** What a watch asks again and again while a response is open. */
export interface WatchDuty {
  readonly subject: LeaseSubject;
  /** The newest version of the key in this isolate. */
  known(): KnownKey | null;
  judge(known: KnownKey): Outcome<unknown>;
  /** Speaks for the slot that the exchange is in. */
  hold(subject: LeaseSubject, keep: Keep): Promise<void>;
  refresh(subject: LeaseSubject, keep: Keep): Promise<void>;
  isCurrent(hash: string, version: number | null): boolean;
  /** Whether the vendor key can still be opened: a customer's key that refuses ends what is under way as well. */
  opens(known: KnownKey): Promise<Outcome<unknown>>;
  readonly keep: Keep;
}

/** Re-judged this often. */
const WATCH_MS = LEASE_MS / 4;
/**
 * An object that takes longer to answer has not answered: together with the pause before, an exchange whose key has ended
 * is over within one lease after the change was reported as enforced, and with some time left for the cut itself.
 */
const ANSWER_MS = LEASE_MS - WATCH_MS - 100;

/** A watch that is on. */
export interface Watch {
  /** Resolves with the refusal that must end the exchange; stays open otherwise. */
  readonly refusal: Promise<Refused>;
  /** The exchange is over: nothing is asked any more. */
  end(): void;
}

/**
 * Watches over an exchange (upload, stream, download, WebSocket): it may stay open only while its key would still be
 * admitted. An object that does not answer ends it too: fail closed.
 */
export function watch(duty: WatchDuty): Watch {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  let refuse: (refusal: Refused) => void;
  const refusal = new Promise<Refused>((resolve) => {
    refuse = resolve;
  });
  const look = async (): Promise<void> => {
    const verdict = await reJudge(duty);
    if (isOver) return;
    if (verdict.ok) timer = setTimeout(tick, WATCH_MS);
    else refuse(verdict);
  };
  // `reJudge` never rejects.
  const tick = (): void => void look();
  timer = setTimeout(tick, WATCH_MS);
  return {
    refusal,
    end: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

async function reJudge(duty: WatchDuty): Promise<Outcome<unknown>> {
  try {
    const known = duty.known();
    if (known === null) return refused("no_decision");
    const isCurrent = duty.isCurrent(duty.subject.hash, known.snapshot.version);
    const opening = duty.opens(known);
    const asked = [
      opening,
      duty.hold(duty.subject, duty.keep),
      ...(isCurrent ? [] : [duty.refresh(duty.subject, duty.keep)]),
    ];
    await within(Promise.all(asked), ANSWER_MS, "The holder object, or the customer's key,");
    const newest = duty.known();
    if (newest === null || !duty.isCurrent(duty.subject.hash, newest.snapshot.version)) {
      return duty.isCurrent(duty.subject.hash, null) ? refused("token_unknown") : refused("no_decision");
    }
    const verdict = duty.judge(newest);
    return verdict.ok ? await opening : verdict;
  } catch {
    return refused("no_decision");
  }
}
