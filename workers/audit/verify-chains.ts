import type { ChainHead } from "@relaykey/core/audit-chain/entry";
import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import { describeProblem } from "@relaykey/core/audit-chain/problem";
import type { ChainProblem } from "@relaykey/core/audit-chain/problem";
import type { Notice } from "@relaykey/core/notice";
import type { Database } from "@relaykey/db/client";
import { chainsToCheck, readChainCheck, saveChainCheck } from "@relaykey/db/queries/audit-chain-checks";
import type { ChainCheckRow } from "@relaykey/db/queries/audit-chain-checks";
import { ChainVerifier } from "./chain-verifier.ts";

const CHAINS_PER_RUN = 500;
/** New strides of a chain that one run checks, and older ones that it checks again. */
const NEW_STRIDES = 10;
const PATROL_STRIDES = 2;
/** A run begins no chain after so long: the next one begins with those that waited longest. */
const RUN_MS = 40_000;

/** What a run did. */
export interface Verification {
  readonly chains: number;
  readonly broken: number;
}

/**
 * Checks what was added to the chains, and again some of what is older, so that each event is looked at time and again. What
 * is found wrong is noted, and told once.
 *
 * @param clock epoch ms.
 */
export async function verifyChains(
  db: Database,
  keys: readonly ChainKey[],
  send: (notice: Notice) => Promise<void>,
  clock: () => number,
): Promise<Verification> {
  const began = clock();
  let chains = 0;
  let broken = 0;
  for (const organizationId of await chainsToCheck(db, new Date(began), CHAINS_PER_RUN)) {
    if (clock() - began > RUN_MS) break;
    const check = await verifyChain(db, organizationId, keys, send, clock());
    chains += 1;
    if (check?.brokenCheck != null) broken += 1;
  }
  return { chains, broken };
}

/** @returns what is noted of the chain now; null when there is none. */
export async function verifyChain(
  db: Database,
  organizationId: string,
  keys: readonly ChainKey[],
  send: (notice: Notice) => Promise<void>,
  now: number,
): Promise<ChainCheckRow | null> {
  const before = await readChainCheck(db, organizationId);
  const verifier = new ChainVerifier(db, organizationId, keys, new Date(now).toISOString().slice(0, 10));
  const known = before === null ? null : { sequence: before.through, hash: before.throughHash };
  const fresh = await checkNew(verifier, known);
  if (fresh.reached === null) return null;
  const patrol = await checkAgain(verifier, before?.patrolAt ?? 0);
  const found = fresh.problem ?? patrol.problem;
  const isStillBroken =
    before?.brokenSequence != null &&
    ((await verifier.from(Math.max(1, before.brokenSequence - 1))).problems.length > 0 || fresh.isUprooted);
  const at = new Date(now);
  const check: ChainCheckRow = {
    organizationId,
    through: fresh.reached.sequence,
    throughHash: fresh.reached.hash,
    events: (before?.events ?? 0) + fresh.events,
    checkedAt: at,
    patrolAt: patrol.at,
    patrolledAt: patrol.isRoundOver ? at : (before?.patrolledAt ?? null),
    ...(isStillBroken ? brokenAsBefore(before) : brokenNow(found, at)),
  };
  // Told first: a run that ends in between tells it again, under the same name.
  if (!isStillBroken && found !== null) await send(brokenNotice(organizationId, found, now));
  await saveChainCheck(db, check);
  return check;
}

async function checkNew(
  verifier: ChainVerifier,
  known: ChainHead | null,
): Promise<{ reached: ChainHead | null; events: number; problem: ChainProblem | null; isUprooted: boolean }> {
  let reached = known;
  let events = 0;
  let problem: ChainProblem | null = null;
  for (let count = 0; count < NEW_STRIDES; count += 1) {
    const stride = await verifier.after(reached);
    problem ??= stride.problems[0] ?? null;
    if (stride.isUprooted) return { reached, events, problem, isUprooted: true };
    reached = stride.reached ?? reached;
    events += stride.events;
    if (stride.isEnd) break;
  }
  return { reached, events, problem, isUprooted: false };
}

/** @param at where the last run ended; 0: a round begins. */
async function checkAgain(
  verifier: ChainVerifier,
  at: number,
): Promise<{ at: number; isRoundOver: boolean; problem: ChainProblem | null }> {
  let reached = at;
  let problem: ChainProblem | null = null;
  for (let count = 0; count < PATROL_STRIDES; count += 1) {
    const stride = await verifier.from(Math.max(1, reached));
    problem ??= stride.problems[0] ?? null;
    if (stride.isEnd) return { at: 0, isRoundOver: true, problem };
    reached = stride.reached?.sequence ?? 0;
  }
  return { at: reached, isRoundOver: false, problem };
}

type Broken = Pick<ChainCheckRow, "brokenCheck" | "brokenSequence" | "brokenRequestId" | "brokenAt">;

function brokenAsBefore({ brokenCheck, brokenSequence, brokenRequestId, brokenAt }: ChainCheckRow): Broken {
  return { brokenCheck, brokenSequence, brokenRequestId, brokenAt };
}

function brokenNow(problem: ChainProblem | null, at: Date): Broken {
  return {
    brokenCheck: problem?.check ?? null,
    brokenSequence: problem?.sequence ?? null,
    brokenRequestId: problem?.requestId ?? null,
    brokenAt: problem === null ? null : at,
  };
}

function brokenNotice(organizationId: string, problem: ChainProblem, now: number): Notice {
  return {
    v: 1,
    type: "audit.chain_broken",
    dedupeKey: `audit.chain_broken.${organizationId}.${String(problem.sequence)}.${problem.check}`,
    organizationId,
    keyId: null,
    holderId: null,
    integrationId: null,
    at: now,
    data: {
      check: problem.check,
      batch: problem.sequence,
      request_id: problem.requestId,
      what: describeProblem(problem),
    },
  };
}
