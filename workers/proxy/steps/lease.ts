import { judge } from "@relaykey/core/judge";
import type { Judged } from "@relaykey/core/judge";
import type { Limits } from "@relaykey/core/limits";
import type { KnownKey, Directory } from "../directory.ts";
import { rateStatus } from "../start-lease.ts";
import type { Keep, LeaseBook } from "../lease-book.ts";
import type { LeaseSubject, StartLease } from "../start-lease.ts";
import { describeError, log } from "@relaykey/core/log";
import { passed, refused } from "../outcome.ts";
import type { Outcome, Refused } from "../outcome.ts";
import type { Intake } from "./intake.ts";
import { describeCaller, unconfirmed } from "../unconfirmed.ts";
import type { WatchDuty } from "../watch.ts";

/** A request that may be sent if nothing changes before it is. */
export interface Admission {
  readonly known: KnownKey;
  /** null for a key that is enforced at the edge: the snapshot alone decides. */
  readonly lease: StartLease | null;
}

export interface DecisionParts {
  readonly directory: Directory;
  readonly leases: LeaseBook;
  readonly now: () => number;
}

/** Versions, and competitors for what is left of a limit, that may overtake a request before it is given up. */
const MAX_ROUNDS = 8;

/**
 * Steps 2 to 4: finds the key's policy, judges the request on it, and obtains a lease. A refusal is answered only on a
 * version that is known to be current, so that a change that widened a policy is in force as soon as one that narrowed it.
 * Whatever fails on the way refuses the request (G2).
 */
export async function decide(
  subject: LeaseSubject,
  intake: Intake,
  parts: DecisionParts,
  keep: Keep,
): Promise<Outcome<Admission>> {
  try {
    return await decideOrThrow(subject, intake, parts, keep);
  } catch (error) {
    log("warn", "no_decision", { request_id: intake.requestId, error: describeError(error) });
    return refused("no_decision");
  }
}

async function decideOrThrow(
  subject: LeaseSubject,
  intake: Intake,
  parts: DecisionParts,
  keep: Keep,
): Promise<Outcome<Admission>> {
  const { directory, leases, now } = parts;
  const found = await directory.find(subject.hash);
  if (found !== null && isEnforcedAtTheEdge(found)) {
    const verdict = judge(found, intake, now());
    return verdict.ok ? passed({ known: found, lease: null }) : verdict;
  }
  let hasWaited = false;
  let hasTold = false;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const known = directory.known(subject.hash);
    const version = known?.snapshot.version ?? null;
    const verdict = known === null ? refused("token_unknown") : judge(known, intake, now());
    if (known === null || !verdict.ok) {
      // Revocation is terminal: an old copy that says so is as good as a new one.
      const refusal = verdict.ok ? refused("no_decision") : verdict;
      if (refusal.reason === "token_revoked" || leases.isCurrent(subject.hash, version)) return refusal;
      if (leases.isCurrent(subject.hash, null)) return refused("token_unknown");
      await leases.refresh(subject, keep);
      continue;
    }
    const { ip } = verdict.value;
    const { network } = ip;
    const lease = leases.live(subject.hash, network);
    // The object was not told who calls: the network had been admitted until now.
    const isUntold: boolean = lease?.block === "ip_unconfirmed" && lease.confirmation === null && !hasTold;
    if (lease === null || lease.version > known.snapshot.version || isUntold) {
      const tells = known.snapshot.ip.mode === "confirm" && leases.isNewHere(subject.hash, network);
      hasTold ||= isUntold;
      await leases.renew(subject, network, keep, tells ? describeCaller(intake, known.snapshot, ip) : null);
      // The object's word on the key's existence beats a cached copy.
      if (leases.isCurrent(subject.hash, null)) return refused("token_unknown");
      continue;
    }
    if (lease.block === "concurrency_limited" && !hasWaited) {
      hasWaited = true;
      await leases.landing(lease);
      continue;
    }
    if (lease.block === "ip_unconfirmed") return unconfirmed(known.snapshot, ip, lease.confirmation);
    if (lease.block !== null) return blocked(lease, lease.block, now());
    leases.renewAhead(subject, network, lease, keep);
    return passed({ known, lease });
  }
  return outrun(subject, intake, parts);
}

/**
 * The refusal of a request that was overtaken again and again. One that was always too late for what was left of a limit
 * met a limit, not a fault.
 */
export function outrun(
  subject: LeaseSubject,
  intake: Intake,
  { directory, leases, now }: DecisionParts,
): Refused {
  const known = directory.known(subject.hash);
  if (known === null) return refused("no_decision");
  const { limits, holder } = known.snapshot;
  if (!isCounted(limits) && !isCounted(holder.limits)) return refused("no_decision");
  const verdict = judge(known, intake, now());
  if (!verdict.ok) return verdict;
  const hasAllowance = [limits, holder.limits].some(({ rate, uses }) => rate !== null || uses !== null);
  const isFull = !hasAllowance || leases.isFull(subject.hash, verdict.value.ip.network);
  return refused(isFull ? "concurrency_limited" : "rate_limited");
}

/**
 * The last check, synchronous, in the turn that calls `fetch`: the version that was judged is still the newest, it still
 * admits the request now, and the lease still holds.
 *
 * @returns "lapsed" when the request must be decided again.
 */
export function admit(
  subject: LeaseSubject,
  intake: Intake,
  admission: Admission,
  parts: DecisionParts,
): Outcome<Judged> | "lapsed" {
  if (parts.directory.known(subject.hash) !== admission.known) return "lapsed";
  const verdict = judge(admission.known, intake, parts.now());
  if (!verdict.ok) return verdict;
  if (admission.lease !== null && !parts.leases.take(admission.lease)) return "lapsed";
  return verdict;
}

/** What keeps an exchange open that was started from `network`, beside the vendor key. */
export function watchDuty(
  subject: LeaseSubject,
  network: string,
  intake: Intake,
  { directory, leases, now }: DecisionParts,
  keep: Keep,
): Omit<WatchDuty, "opens"> {
  const confirms = (): boolean => directory.known(subject.hash)?.snapshot.ip.mode === "confirm";
  const isStanding = (): boolean => !confirms() || leases.admits(subject.hash, network) !== null;
  return {
    subject,
    known: () => directory.known(subject.hash),
    judge: (newest) => {
      const verdict = judge(newest, intake, now());
      const isOut = newest.snapshot.ip.mode === "confirm" && leases.admits(subject.hash, network) === false;
      return verdict.ok && isOut ? refused("ip_unconfirmed") : verdict;
    },
    hold: (whose, alive) => leases.hold(whose, network, alive),
    refresh: async (whose, alive) => {
      await (confirms() ? leases.recheck(whose, network, alive) : leases.refresh(whose, alive));
      // Only now it may have become a matter of where the exchange comes from.
      if (!isStanding()) await leases.recheck(whose, network, alive);
    },
    isCurrent: (hash, version) => leases.isCurrent(hash, version) && (version === null || isStanding()),
    keep,
  };
}

/** Limits and new addresses are known to the holder object only: such keys are always leased. */
function isEnforcedAtTheEdge(known: KnownKey): boolean {
  const { enforcement, ip, limits, holder } = known.snapshot;
  return enforcement === "edge" && ip.mode !== "confirm" && !isCounted(limits) && !isCounted(holder.limits);
}

function isCounted({ rate, uses, concurrency }: Limits): boolean {
  return rate !== null || uses !== null || concurrency !== null;
}

function blocked(lease: StartLease, reason: NonNullable<StartLease["block"]>, now: number): Refused {
  const rate = rateStatus(lease, now);
  return refused(reason, {
    ...(lease.retryAfterMs === null
      ? {}
      : { retryAfterSeconds: Math.max(1, Math.ceil(lease.retryAfterMs / 1_000)) }),
    ...(rate === null ? {} : { rate }),
  });
}
