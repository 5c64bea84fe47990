import { proveEvent, readChainState } from "../../service/audit-chain.ts";
import type { AuditRow } from "@relaykey/db/queries/audit";
import { unwrap } from "./page.ts";
import type { Visit } from "./page.ts";

/** How far the audit log is verified, as its page says it. */
export async function readShownChain({ deps, caller }: Visit) {
  const { state, head, through, events, checkedAt, problem } = unwrap(await readChainState(deps, caller));
  return {
    state,
    head:
      head === null
        ? null
        : { sequence: head.entry.sequence, at: new Date(head.entry.writtenAt).toISOString() },
    through,
    events,
    checkedAt: checkedAt?.toISOString() ?? null,
    problem:
      problem === null
        ? null
        : {
            sentence: problem.sentence,
            requestId: problem.requestId,
            since: problem.since.toISOString(),
          },
  };
}

export type ShownChain = Awaited<ReturnType<typeof readShownChain>>;

/** Where an event stands in the chain, checked as the page is made. */
export async function readShownProof({ deps, caller }: Visit, row: AuditRow) {
  const { writtenAt, ...proof } = unwrap(await proveEvent(deps, caller, row));
  return { ...proof, writtenAt: writtenAt?.toISOString() ?? null };
}

export type ShownProof = Awaited<ReturnType<typeof readShownProof>>;
