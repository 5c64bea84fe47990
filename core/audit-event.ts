import * as z from "zod/mini";
import { BLOCK_REASONS } from "./block-reasons.ts";
import type { BlockReason } from "./block-reasons.ts";
import { utf8 } from "./bytes.ts";
import { isId } from "./ids.ts";

/** One request, allowed or blocked. Never a body; a query only where the integration opted in. */
export interface AuditEvent {
  readonly v: 1;
  readonly requestId: string;
  /** Epoch ms at which the request arrived. */
  readonly at: number;
  readonly organizationId: string | null;
  readonly integrationId: string | null;
  /** As it was asked for, also when there is no such integration. */
  readonly integrationSlug: string | null;
  readonly keyId: string | null;
  readonly holderId: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: string | null;
  readonly decision: "allowed" | "blocked";
  /** Why it was blocked, or why an allowed response was cut. */
  readonly reason: BlockReason | null;
  readonly outcome: "completed" | "client_disconnected" | "upstream_failed" | "cut" | "unknown";
  /** As sent to the caller. */
  readonly status: number;
  readonly upstreamStatus: number | null;
  /** Canonical address. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Days the organization's plan keeps the event; fixed when the request is made. */
  readonly retentionDays: number;
  /** Names of the caller's header fields that were not sent on. */
  readonly droppedHeaders: readonly string[];
}

const text = z.nullable(z.string());
const id = z.string().check(z.refine(isId, "not a UUID"));
const whole = z.int().check(z.minimum(0));
const reasons = Object.keys(BLOCK_REASONS) as [BlockReason, ...BlockReason[]];

const eventSchema = z.strictObject({
  v: z.literal(1),
  requestId: id,
  at: whole,
  organizationId: z.nullable(id),
  integrationId: z.nullable(id),
  integrationSlug: text,
  keyId: z.nullable(id),
  holderId: z.nullable(id),
  method: z.string(),
  path: z.string(),
  query: text,
  decision: z.enum(["allowed", "blocked"]),
  reason: z.nullable(z.enum(reasons)),
  outcome: z.enum(["completed", "client_disconnected", "upstream_failed", "cut", "unknown"]),
  status: whole,
  upstreamStatus: z.nullable(whole),
  ip: text,
  userAgent: text,
  durationMs: whole,
  bytesIn: whole,
  bytesOut: whole,
  retentionDays: whole,
  droppedHeaders: z.array(z.string()),
});

const batchSchema = z.strictObject({ v: z.literal(1), events: z.array(z.unknown()) });

/** Well under the queue's 128 KB per message. */
const MAX_BATCH_BYTES = 120_000;
const MAX_PATH = 2_048;
const MAX_SHORT = 512;
const MAX_DROPPED = 100;

/**
 * Queue messages that hold the events, in order, each of at most `maxBytes` unless a single event is longer.
 */
export function encodeAuditBatches(
  events: readonly AuditEvent[],
  maxBytes: number = MAX_BATCH_BYTES,
): string[] {
  const messages: string[] = [];
  let parts: string[] = [];
  let size = 0;
  const close = (): void => {
    if (parts.length > 0) messages.push(`{"v":1,"events":[${parts.join(",")}]}`);
    parts = [];
    size = 0;
  };
  for (const event of events) {
    const part = JSON.stringify(event);
    const bytes = utf8(part).length + 1;
    if (size + bytes > maxBytes) close();
    parts.push(part);
    size += bytes;
  }
  close();
  return messages;
}

/** A batch as it was read: a malformed event does not take its neighbours with it. */
export interface DecodedAuditBatch {
  readonly events: AuditEvent[];
  readonly rejected: { readonly raw: string; readonly error: string }[];
}

/** @returns null when the message is no batch at all. */
export function decodeAuditBatch(message: string): DecodedAuditBatch | null {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return null;
  }
  const batch = batchSchema.safeParse(value);
  if (!batch.success) return null;
  const events: AuditEvent[] = [];
  const rejected: DecodedAuditBatch["rejected"] = [];
  for (const candidate of batch.data.events) {
    const event = eventSchema.safeParse(candidate);
    if (event.success) events.push(event.data);
    else {
      const issue = event.error.issues[0];
      rejected.push({
        raw: JSON.stringify(candidate),
        error: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`,
      });
    }
  }
  return { events, rejected };
}

/** Cuts what a caller can make long; a cut text ends in "…". */
export function clampAuditEvent(event: AuditEvent): AuditEvent {
  return {
    ...event,
    method: clamp(event.method, MAX_SHORT),
    path: clamp(event.path, MAX_PATH),
    query: event.query === null ? null : clamp(event.query, MAX_PATH),
    userAgent: event.userAgent === null ? null : clamp(event.userAgent, MAX_SHORT),
    droppedHeaders: event.droppedHeaders.slice(0, MAX_DROPPED).map((name) => clamp(name, MAX_SHORT)),
  };
}

function clamp(value: string, length: number): string {
  return value.length <= length ? value : `${value.slice(0, length - 1)}…`;
}
