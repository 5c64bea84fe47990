import { isId } from "@relaykey/core/ids";
import { queryAuditEvents } from "../../service/audit.ts";
import { explainEvent } from "../../service/explanation.ts";
import { readShownProof } from "./audit-chain.ts";
import { showEntries } from "./audit-log.ts";
import { missing, unwrap } from "./page.ts";
import type { Visit } from "./page.ts";

/** One request and why it was decided so. */
export async function readAuditEvent(visit: Visit, requestId: string) {
  const { deps, caller } = visit;
  if (!isId(requestId)) return missing();
  const found = await queryAuditEvents(deps, caller, { requestId }, { limit: 1, cursor: null });
  const [row] = unwrap(found).entries;
  if (row === undefined) return missing();
  const [entry] = await showEntries(visit, [row]);
  if (entry === undefined) return missing();
  return {
    ...entry,
    query: row.query,
    upstreamStatus: row.upstreamStatus,
    userAgent: row.userAgent,
    bytesIn: row.bytesIn,
    bytesOut: row.bytesOut,
    droppedHeaders: row.droppedHeaders,
    proof: await readShownProof(visit, row),
    explanation: unwrap(await explainEvent(deps, caller, row)),
  };
}

export type ShownAuditEvent = Awaited<ReturnType<typeof readAuditEvent>>;
