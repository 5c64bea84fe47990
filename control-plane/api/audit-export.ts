import { utf8 } from "@relaykey/core/bytes";
import type { AuditRow } from "@relaykey/db/queries/audit";
import { presentAuditEvent } from "./presenters.ts";
import type { Stream } from "./route.ts";

export const EXPORT_TYPES = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
} as const;

type ExportFormat = keyof typeof EXPORT_TYPES;

/** In the order of the columns. */
const COLUMNS = [
  "request_id",
  "at",
  "decision",
  "reason",
  "outcome",
  "status",
  "upstream_status",
  "method",
  "integration",
  "path",
  "query",
  "ip",
  "user_agent",
  "key_id",
  "holder_id",
  "integration_id",
  "duration_ms",
  "bytes_in",
  "bytes_out",
  "dropped_headers",
] as const satisfies readonly (keyof ReturnType<typeof presentAuditEvent>)[];

/**
 * The events as they are read, a page at a time, at the pace of whoever takes them. A failure in the middle breaks the
 * stream off, so that half an export is not taken for a whole one.
 */
export function exportStream(pages: AsyncIterator<readonly AuditRow[], void>, format: ExportFormat): Stream {
  let isFirst = true;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = await pages.next();
      const header = isFirst && format === "csv" ? `${COLUMNS.join(",")}\r\n` : "";
      isFirst = false;
      const lines = page.done === true ? "" : page.value.map((row) => line(row, format)).join("");
      if (header + lines !== "") controller.enqueue(utf8(header + lines));
      if (page.done === true) controller.close();
    },
    async cancel() {
      await pages.return?.();
    },
  });
  return { type: EXPORT_TYPES[format], fileName: `audit-events.${format}`, body };
}

/** Events with what proves them, lines at a time; as above, a failure breaks the stream off. */
export function proofStream(lines: AsyncIterator<string, void>): Stream {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      let part = await lines.next();
      // A pull that brings nothing is not repeated.
      while (part.done !== true && part.value === "") part = await lines.next();
      if (part.done === true) controller.close();
      else controller.enqueue(utf8(part.value));
    },
    async cancel() {
      await lines.return?.();
    },
  });
  return { type: EXPORT_TYPES.ndjson, fileName: "audit-proof.ndjson", body };
}

function line(row: AuditRow, format: ExportFormat): string {
  const event = presentAuditEvent(row);
  if (format === "ndjson") return `${JSON.stringify(event)}\n`;
  return `${COLUMNS.map((name) => cell(event[name])).join(",")}\r\n`;
}

/**
 * One value (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe in front, which makes it text:
 * callers choose paths and user agents.
 */
function cell(value: string | number | Date | readonly string[] | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text =
    value instanceof Date ? value.toISOString() : typeof value === "string" ? value : value.join(" ");
  const harmless = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
