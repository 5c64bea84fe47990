import type { AuditEvent } from "../audit-event.ts";
import { concatBytes, utf8 } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";

/** What of an audit event is chained: all that is known of it, but not how long it is kept, which may change. */
export type AuditFacts = Omit<AuditEvent, "v" | "retentionDays" | "reason"> & {
  readonly reason: string | null;
};

/** RFC 6962 §2.1: a leaf can never be taken for a node. */
const LEAF = Uint8Array.of(0x00);

/** An event as the API and its exports show it. */
export type EventMembers = ReturnType<typeof eventMembers>;

/** In their canonical order (RFC 8785 §3.2.3). */
export function eventMembers(event: Omit<AuditFacts, "organizationId">) {
  return {
    at: new Date(event.at).toISOString(),
    bytes_in: event.bytesIn,
    bytes_out: event.bytesOut,
    decision: event.decision,
    dropped_headers: event.droppedHeaders,
    duration_ms: event.durationMs,
    holder_id: event.holderId,
    integration: event.integrationSlug,
    integration_id: event.integrationId,
    ip: event.ip,
    key_id: event.keyId,
    method: event.method,
    outcome: event.outcome,
    path: event.path,
    query: event.query,
    reason: event.reason,
    request_id: event.requestId,
    status: event.status,
    upstream_status: event.upstreamStatus,
    user_agent: event.userAgent,
  };
}

/**
 * The one spelling of an event, version 1: canonical JSON (RFC 8785) of the event as the API shows it, with
 * `organization_id` and `v`.
 */
export function encodeLeaf(event: AuditFacts): Bytes {
  const { outcome, path, query, reason, request_id, status, upstream_status, user_agent, ...before } =
    eventMembers(event);
  return utf8(
    JSON.stringify({
      ...before,
      organization_id: event.organizationId,
      outcome,
      path,
      query,
      reason,
      request_id,
      status,
      upstream_status,
      user_agent,
      v: 1,
    }),
  );
}

/** SHA-256 over 0x00 and the spelling. */
export async function hashLeaf(event: AuditFacts): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concatBytes(LEAF, encodeLeaf(event))));
}
