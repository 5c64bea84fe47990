import * as z from "zod/mini";
import { isId } from "../ids.ts";
import { encodeEntry } from "./entry.ts";
import type { ChainEntry, SignedEntry } from "./entry.ts";
import { eventMembers } from "./leaf.ts";
import type { AuditFacts } from "./leaf.ts";

/**
 * A file that proves what it shows without a network: lines of JSON. A header, the entries of the chain that are needed, the
 * events each with its place and the hashes that lead from it to the root of its batch, and a last line that says how many
 * there were.
 */
export type ProofLine = ProofHeader | ProofEntry | ProofEvent | ProofEnd;

export interface ProofHeader {
  readonly type: "header";
  readonly v: 1;
  readonly organizationId: string;
  /** Epoch ms. */
  readonly exportedAt: number;
  /** Epoch ms, both inclusive; null: no bound. */
  readonly from: number | null;
  readonly to: number | null;
  /** Events may be left out because a filter did not admit them. */
  readonly isFiltered: boolean;
  /** Public keys as whoever wrote the file knows them; a reader that trusts them trusts the writer. */
  readonly keys: readonly string[];
  /** Number of the chain's last entry at that time; 0: it has none. */
  readonly head: number;
}

export interface ProofEntry {
  readonly type: "entry";
  readonly signed: SignedEntry;
}

export interface ProofEvent {
  readonly type: "event";
  /** null: the log has it in no batch. */
  readonly place: { readonly sequence: number; readonly position: number } | null;
  /** Hashes from the leaf's sibling upwards, hex. */
  readonly proof: readonly string[];
  readonly event: Omit<AuditFacts, "organizationId">;
}

export interface ProofEnd {
  readonly type: "end";
  readonly entries: number;
  readonly events: number;
}

const id = z.string().check(z.refine(isId));
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const whole = z.int().check(z.minimum(0));
const text = z.nullable(z.string());
const moment = z.pipe(
  z.string().check(z.refine((value) => isCanonicalMoment(value))),
  z.transform((value: string) => Date.parse(value)),
);
const day = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/));

const header = z.strictObject({
  type: z.literal("header"),
  v: z.literal(1),
  organization_id: id,
  exported_at: moment,
  from: z.nullable(moment),
  to: z.nullable(moment),
  filtered: z.boolean(),
  keys: z.array(z.string()),
  head: whole,
});

const link = {
  type: z.literal("entry"),
  v: z.literal(1),
  organization_id: id,
  sequence: whole,
  previous: hash,
  written_at: moment,
  retention_days: whole,
  key_id: z.string(),
  signature: z.string(),
};
const entry = z.discriminatedUnion("kind", [
  z.strictObject({ ...link, kind: z.literal("batch"), root: hash, count: whole, day, first: id, last: id }),
  z.strictObject({ ...link, kind: z.literal("retention") }),
]);

const event = z.strictObject({
  type: z.literal("event"),
  sequence: z.nullable(whole),
  position: z.nullable(whole),
  proof: z.array(hash),
  event: z.strictObject({
    at: moment,
    bytes_in: whole,
    bytes_out: whole,
    decision: z.enum(["allowed", "blocked"]),
    dropped_headers: z.array(z.string()),
    duration_ms: whole,
    holder_id: z.nullable(id),
    integration: text,
    integration_id: z.nullable(id),
    ip: text,
    key_id: z.nullable(id),
    method: z.string(),
    outcome: z.enum(["completed", "client_disconnected", "upstream_failed", "cut", "unknown"]),
    path: z.string(),
    query: text,
    reason: text,
    request_id: id,
    status: whole,
    upstream_status: z.nullable(whole),
    user_agent: text,
  }),
});

const end = z.strictObject({ type: z.literal("end"), entries: whole, events: whole });

/** One line, without its end. */
export function encodeProofLine(line: ProofLine): string {
  return JSON.stringify(lineMembers(line));
}

/** @returns null when the text is no line of this format. */
export function decodeProofLine(line: string): ProofLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  switch ((value as { type?: unknown } | null)?.type) {
    case "header": {
      const { data } = header.safeParse(value);
      return data === undefined ? null : readHeader(data);
    }
    case "entry": {
      const { data } = entry.safeParse(value);
      return data === undefined ? null : { type: "entry", signed: readEntry(data) };
    }
    case "event": {
      const { data } = event.safeParse(value);
      return data === undefined ? null : readEvent(data);
    }
    case "end":
      return end.safeParse(value).data ?? null;
    default:
      return null;
  }
}

function lineMembers(line: ProofLine): unknown {
  switch (line.type) {
    case "header":
      return {
        type: line.type,
        v: line.v,
        organization_id: line.organizationId,
        exported_at: iso(line.exportedAt),
        from: line.from === null ? null : iso(line.from),
        to: line.to === null ? null : iso(line.to),
        filtered: line.isFiltered,
        keys: line.keys,
        head: line.head,
      };
    case "entry":
      return { type: line.type, ...signedMembers(line.signed) };
    case "event":
      return {
        type: line.type,
        sequence: line.place?.sequence ?? null,
        position: line.place?.position ?? null,
        proof: line.proof,
        event: eventMembers(line.event),
      };
    case "end":
      return line;
  }
}

/** An entry as it is written in files and answers: what is signed, and the signature. */
export function signedMembers({ entry: content, keyId, signature }: SignedEntry): Record<string, unknown> {
  const members = JSON.parse(new TextDecoder().decode(encodeEntry(content))) as Record<string, unknown>;
  return { ...members, key_id: keyId, signature };
}

function readHeader(line: z.output<typeof header>): ProofHeader {
  const { organization_id, exported_at, filtered, ...same } = line;
  return { ...same, organizationId: organization_id, exportedAt: exported_at, isFiltered: filtered };
}

function readEntry(line: z.output<typeof entry>): SignedEntry {
  const { organization_id, written_at, retention_days, key_id, signature, type: _type, ...same } = line;
  const content: ChainEntry = {
    ...same,
    organizationId: organization_id,
    writtenAt: written_at,
    retentionDays: retention_days,
  };
  return { entry: content, keyId: key_id, signature };
}

function readEvent({ sequence, position, proof, event: shown }: z.output<typeof event>): ProofEvent {
  return {
    type: "event",
    place: sequence === null || position === null ? null : { sequence, position },
    proof,
    event: {
      requestId: shown.request_id,
      at: shown.at,
      integrationId: shown.integration_id,
      integrationSlug: shown.integration,
      keyId: shown.key_id,
      holderId: shown.holder_id,
      method: shown.method,
      path: shown.path,
      query: shown.query,
      decision: shown.decision,
      reason: shown.reason,
      outcome: shown.outcome,
      status: shown.status,
      upstreamStatus: shown.upstream_status,
      ip: shown.ip,
      userAgent: shown.user_agent,
      durationMs: shown.duration_ms,
      bytesIn: shown.bytes_in,
      bytesOut: shown.bytes_out,
      droppedHeaders: shown.dropped_headers,
    },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** One spelling per moment, so that what is read is what was hashed. */
function isCanonicalMoment(value: string): boolean {
  const ms = Date.parse(value);
  return !Number.isNaN(ms) && iso(ms) === value;
}
