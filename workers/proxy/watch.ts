import type { KnownKey } from "./directory.ts";
import type { LeaseSubject, Keep } from "./lease-book.ts";
import { LEASE_MS } from "./objects/lease.ts";
import { refused } from "./outcome.ts";
import type { Outcome, Refused } from "./outcome.ts";

/** What a watch asks again and again while a response is open. */
export interface WatchDuty {
  readonly subject: LeaseSubject;
  /** The newest version of the key in this isolate. */
  known(): KnownKey | null;
  judge(known: KnownKey): Outcome<unknown>;
  refresh(subject: LeaseSubject, keep: Keep): Promise<void>;
  isCurrent(hash: string, version: number | null): boolean;
  readonly keep: Keep;
}

/** Re-judged this often; half a lease, so that a refresh that takes a while is still in time. */
const WATCH_MS = LEASE_MS / 2;

/**
 * Watches over an open response (stream, download, WebSocket): it may stay open only while its key would still be
 * admitted. Ends with null when the response ended by itself, or with the refusal that must cut it. An object that
 * does not answer cuts it too: fail closed.
 */
export async function watch(duty: WatchDuty, ended: Promise<unknown>): Promise<Refused | null> {
  const over = ended.then(
    () => true,
    () => true,
  );
  for (;;) {
    if (await Promise.race([over, scheduler.wait(WATCH_MS).then(() => false)])) return null;
    const verdict = await reJudge(duty);
    if (!verdict.ok) return verdict;
  }
}

async function reJudge(duty: WatchDuty): Promise<Outcome<unknown>> {
  try {
    const known = duty.known();
    if (known === null) return refused("no_decision");
    if (!duty.isCurrent(duty.subject.hash, known.snapshot.version)) {
      await duty.refresh(duty.subject, duty.keep);
    }
    const newest = duty.known();
    if (newest === null || !duty.isCurrent(duty.subject.hash, newest.snapshot.version)) {
      return duty.isCurrent(duty.subject.hash, null) ? refused("token_unknown") : refused("no_decision");
    }
    return duty.judge(newest);
  } catch {
    return refused("no_decision");
  }
}
