import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { clampAuditEvent } from "@relaykey/core/audit-event";
import type { AuditEvent } from "@relaykey/core/audit-event";
import type { AuditSink } from "../audit-sink.ts";
import type { KnownKey } from "../directory.ts";
import { log } from "@relaykey/core/log";
import { redactTokens } from "../slots.ts";
import type { Intake } from "./intake.ts";

/** What is known of a request by the time it is recorded. */
export interface Trail {
  readonly intake: Intake;
  known: KnownKey | null;
  dropped: string[];
}

/** How a request ended. */
export interface Ending {
  readonly reason: BlockReason | null;
  readonly outcome: AuditEvent["outcome"];
  /** The status the caller was sent; 499 when it had gone before there was one. */
  readonly status: number;
  readonly upstreamStatus: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Days a request of an unknown key is kept: the shortest of all plans. */
const UNKNOWN_KEY_RETENTION_DAYS = 7;

/**
 * Step 7. Records a request exactly once. A request that no organization can be named for (no token, or a forged one)
 * leaves one structured log line and costs no queue operation, so that it cannot be used to spend the tenants' money.
 */
export async function record(trail: Trail, ending: Ending, audit: AuditSink, now: number): Promise<void> {
  const event = clampAuditEvent(auditEvent(trail, ending, now));
  if (ending.reason !== null && BLOCK_REASONS[ending.reason].audited === "log") {
    log("info", "request_refused", { ...event });
    return;
  }
  await audit.record(event);
}

function auditEvent({ intake, known, dropped }: Trail, ending: Ending, now: number): AuditEvent {
  const snapshot = known?.snapshot ?? null;
  const query = intake.target.ok ? intake.target.target.query : "";
  return {
    v: 1,
    requestId: intake.requestId,
    at: intake.at,
    organizationId: snapshot?.organizationId ?? null,
    integrationId: snapshot?.integration.id ?? null,
    integrationSlug: intake.slug,
    keyId: snapshot?.keyId ?? null,
    holderId: snapshot?.holderId ?? null,
    method: intake.method,
    path: redactTokens(intake.rawPath),
    query: snapshot?.integration.logQuery === true && query !== "" ? redactTokens(query) : null,
    // A stream that was cut had been allowed: the reason says why it ended.
    decision: ending.reason === null || ending.outcome === "cut" ? "allowed" : "blocked",
    reason: ending.reason,
    outcome: ending.outcome,
    status: ending.status,
    upstreamStatus: ending.upstreamStatus,
    ip: intake.ip?.address ?? null,
    userAgent: intake.userAgent === null ? null : redactTokens(intake.userAgent),
    durationMs: Math.max(0, now - intake.at),
    bytesIn: ending.bytesIn,
    bytesOut: ending.bytesOut,
    retentionDays: snapshot?.auditRetentionDays ?? UNKNOWN_KEY_RETENTION_DAYS,
    droppedHeaders: dropped,
  };
}
