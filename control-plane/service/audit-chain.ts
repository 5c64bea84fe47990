import { checkBatch, checkSignature } from "@relaykey/core/audit-chain/check";
import { BEGINNING_MS } from "@relaykey/core/audit-chain/due";
import { signatureChecker } from "@relaykey/core/audit-chain/keys";
import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import { describeProblem, isChainCheck } from "@relaykey/core/audit-chain/problem";
import { readEntries, readEntriesOf, readHeads } from "@relaykey/db/queries/audit-chain";
import type { StoredEntry } from "@relaykey/db/queries/audit-chain";
import { factsOf, readChainCheck } from "@relaykey/db/queries/audit-chain-checks";
import type { AuditRow } from "@relaykey/db/queries/audit";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** What is known of an organization's chain. */
export interface ChainState {
  /** "empty": no event yet; "unchecked": not looked at yet. */
  readonly state: "empty" | "unchecked" | "verified" | "broken";
  readonly head: StoredEntry["signed"] | null;
  /** Every entry up to here was checked. */
  readonly through: number;
  readonly events: number;
  readonly checkedAt: Date | null;
  /** When all of it was last checked again. */
  readonly patrolledAt: Date | null;
  readonly problem: {
    readonly check: string;
    readonly sequence: number;
    readonly requestId: string | null;
    readonly sentence: string;
    readonly since: Date;
  } | null;
  readonly keys: readonly ChainKey[];
}

/** Reads how far the chain of audit events has been verified, and what it is verified with. */
export async function readChainState(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<ChainState>> {
  const allowed = authorize(caller, "audit_chain.read");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const [heads, check] = await Promise.all([
    readHeads(deps.db, [organizationId]),
    readChainCheck(deps.db, organizationId),
  ]);
  const reached = heads.get(organizationId);
  const [head] =
    reached === undefined ? [] : await readEntriesOf(deps.db, organizationId, [reached.sequence]);
  const problem = problemOf(check);
  return ok({
    state:
      problem !== null ? "broken" : check !== null ? "verified" : head === undefined ? "empty" : "unchecked",
    head: head?.signed ?? null,
    through: check?.through ?? 0,
    events: check?.events ?? 0,
    checkedAt: check?.checkedAt ?? null,
    patrolledAt: check?.patrolledAt ?? null,
    problem,
    keys: deps.chainKeys,
  });
}

function problemOf(check: Awaited<ReturnType<typeof readChainCheck>>): ChainState["problem"] {
  if (check?.brokenCheck == null || check.brokenSequence === null || check.brokenAt === null) return null;
  const { brokenCheck, brokenSequence: sequence, brokenRequestId: requestId, brokenAt: since } = check;
  const sentence = isChainCheck(brokenCheck)
    ? describeProblem({ check: brokenCheck, sequence, requestId })
    : brokenCheck;
  return { check: brokenCheck, sequence, requestId, sentence, since };
}

/** Where one event stands in the chain, and whether it is what was recorded there. */
export interface EventProof {
  /** "older": from before the chain; "wrong": see `problem`. */
  readonly status: "proved" | "older" | "wrong";
  readonly sequence: number | null;
  readonly position: number | null;
  /** Of the batch. */
  readonly count: number | null;
  readonly writtenAt: Date | null;
  readonly keyId: string | null;
  readonly problem: string | null;
}

/** Checks an event against its batch and the batch's signature, at this moment. */
export async function proveEvent(
  deps: ServiceDependencies,
  caller: Caller,
  row: AuditRow,
): Promise<Outcome<EventProof>> {
  const allowed = authorize(caller, "audit_chain.read");
  if (!allowed.ok) return allowed;
  const { chainSequence: sequence, chainPosition: position, requestId } = row;
  const place = { sequence, position, count: null, writtenAt: null, keyId: null };
  if (sequence === null || position === null) {
    const problem = await strayProblem(deps, caller, row);
    return ok({ ...place, status: problem === null ? "older" : "wrong", problem });
  }
  const [stored] = await readEntriesOf(deps.db, caller.organizationId, [sequence]);
  const entry = stored?.signed.entry;
  if (stored === undefined || entry?.kind !== "batch") {
    const problem = describeProblem({ check: "batch_missing", sequence, requestId });
    return ok({ ...place, status: "wrong", problem });
  }
  const problem =
    (await checkSignature(stored.signed, signatureChecker(deps.chainKeys))) ??
    // Other events of the batch are not looked at: as if they could be gone.
    (await checkBatch(entry, stored.leaves, [{ position, facts: factsOf(row) }], true))[0] ??
    null;
  return ok({
    status: problem === null ? "proved" : "wrong",
    sequence,
    position,
    count: entry.count,
    writtenAt: new Date(entry.writtenAt),
    keyId: stored.signed.keyId,
    problem: problem === null ? null : describeProblem(problem),
  });
}

async function strayProblem(
  deps: ServiceDependencies,
  caller: Caller,
  row: AuditRow,
): Promise<string | null> {
  const [first] = await readEntries(deps.db, caller.organizationId, 1, { entries: 1, events: 1 });
  if (first === undefined || row.at.getTime() < first.signed.entry.writtenAt + BEGINNING_MS) return null;
  return "It is in no batch: it was added by other means than RelayKey.";
}
