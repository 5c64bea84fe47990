import type { Column } from "../output.ts";

/** An audit event as a line. */
export const AUDIT_COLUMNS: readonly Column[] = [
  ["TIME", (event) => event["at"]],
  ["DECISION", (event) => event["decision"]],
  ["REASON", (event) => event["reason"]],
  ["STATUS", (event) => event["status"]],
  ["INTEGRATION", (event) => event["integration"]],
  ["METHOD", (event) => event["method"]],
  ["PATH", (event) => event["path"]],
  ["IP", (event) => event["ip"]],
  ["MS", (event) => event["duration_ms"]],
  ["REQUEST", (event) => event["request_id"]],
];
