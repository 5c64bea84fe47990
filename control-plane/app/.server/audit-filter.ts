import { isBlockReason } from "@relaykey/core/block-reasons";
import { isId } from "@relaykey/core/ids";
import { canonicalIp } from "@relaykey/core/ip";
import type { AuditQuery } from "../../service/audit.ts";
import { isRangeName, rangeBetween, rangeUntil } from "../../service/time-range.ts";
import type { TimeRange } from "../../service/time-range.ts";
import type { ShownFailure } from "../components/failure.ts";

/** What the address of the audit log asks for. */
export interface AuditAsk {
  readonly query: AuditQuery;
  readonly range: TimeRange;
  /** What could not be read, and is left out. */
  readonly errors: ShownFailure["errors"];
}

const DEFAULT_RANGE = "24h";

/** Reads the filters of the audit log from its address. What makes no sense is named, and does not count. */
export function readAuditFilter(search: URLSearchParams, now: number): AuditAsk {
  const errors: { field: string; message: string }[] = [];
  const query: { -readonly [Name in keyof AuditQuery]: AuditQuery[Name] } = {};
  const take = <T>(field: string, read: (text: string) => T | null, message: string): T | undefined => {
    const text = search.get(field)?.trim() ?? "";
    if (text === "") return undefined;
    const value = read(text);
    if (value === null) errors.push({ field, message });
    return value ?? undefined;
  };
  const set = <Name extends keyof AuditQuery>(name: Name, value: AuditQuery[Name] | undefined) => {
    if (value !== undefined) query[name] = value;
  };
  set("keyId", take("key", readId, "Give the id of a key."));
  set("holderId", take("holder", readId, "Give the id of a holder."));
  set(
    "integration",
    take("integration", (text) => text, ""),
  );
  set(
    "requestId",
    take("request", readId, "A request id is a UUID, as the RelayKey-Request-Id header has it."),
  );
  set("decision", take("decision", readDecision, "Choose allowed or blocked."));
  set(
    "reason",
    take("reason", (text) => (isBlockReason(text) ? text : null), "There is no such reason."),
  );
  set(
    "method",
    take("method", (text) => text.toUpperCase(), ""),
  );
  set(
    "pathPart",
    take("path", (text) => text, ""),
  );
  set(
    "ip",
    take("ip", (text) => canonicalIp(text)?.address ?? null, "Give one IPv4 or IPv6 address."),
  );
  set("status", take("status", readStatus, "Give a status such as 403, or a class such as 4xx."));
  const from = take("from", readMoment, "Give a time such as 2027-01-31T12:00 (UTC).");
  const to = take("to", readMoment, "Give a time such as 2027-01-31T12:00 (UTC).");
  return { query, range: chooseRange(search.get("range"), from, to, now, errors), errors };
}

function chooseRange(
  name: string | null,
  from: Date | undefined,
  to: Date | undefined,
  now: number,
  errors: { field: string; message: string }[],
): TimeRange {
  if (from !== undefined || to !== undefined) {
    const end = to ?? new Date(now);
    const range = rangeBetween(from ?? new Date(end.getTime() - 86_400_000), end);
    if (range !== null) return range;
    errors.push({ field: "to", message: "The end must be after the beginning." });
  }
  return rangeUntil(now, name !== null && isRangeName(name) ? name : DEFAULT_RANGE);
}

function readId(text: string): string | null {
  return isId(text) ? text : null;
}

function readDecision(text: string): "allowed" | "blocked" | null {
  return text === "allowed" || text === "blocked" ? text : null;
}

function readStatus(text: string): { least: number; most: number } | null {
  if (/^[1-5]xx$/i.test(text)) {
    const least = Number(text[0]) * 100;
    return { least, most: least + 99 };
  }
  return /^[1-5]\d\d$/.test(text) ? { least: Number(text), most: Number(text) } : null;
}

/** Years that the database and all ranges around them can be told in. */
const MOMENT = /^(?!0)\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z?$/;

/** As a form sends it, or as our own links have it: always UTC. */
function readMoment(text: string): Date | null {
  if (!MOMENT.test(text)) return null;
  const ms = Date.parse(text.endsWith("Z") ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : new Date(ms);
}
