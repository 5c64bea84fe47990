import { once } from "node:events";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import type { CliContext } from "../context.ts";

export const EXPORT_FORMATS = ["jsonl", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const PAGE = "200";

/** Writes every event that fits, page by page, as fast as the reader takes them. How far it is goes to standard error. */
export async function exportEvents(
  context: CliContext,
  filter: Readonly<Record<string, string | undefined>>,
  format: ExportFormat,
): Promise<void> {
  let cursor: string | undefined;
  let count = 0;
  let columns: string[] | null = null;
  do {
    const answer = await context.call("GET", `/audit-events${query({ ...filter, limit: PAGE, cursor })}`);
    const events = answer["data"] as readonly Json[];
    const lines: string[] = [];
    if (format === "csv" && columns === null && events[0] !== undefined) {
      columns = Object.keys(events[0]);
      lines.push(columns.join(","));
    }
    for (const event of events)
      lines.push(format === "csv" ? csvLine(event, columns ?? []) : JSON.stringify(event));
    if (lines.length > 0) await write(`${lines.join("\n")}\n`);
    count += events.length;
    cursor = typeof answer["next_cursor"] === "string" ? answer["next_cursor"] : undefined;
    if (cursor !== undefined && process.stderr.isTTY) process.stderr.write(`\r${String(count)} events …`);
  } while (cursor !== undefined);
  context.printer.err(`${process.stderr.isTTY ? "\r" : ""}${String(count)} events.`);
}

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

function csvLine(event: Json, columns: readonly string[]): string {
  return columns.map((column) => csvField(event[column])).join(",");
}

/** RFC 4180; an attacker chooses paths and user agents, so nothing may begin like a formula of a spreadsheet. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const harmless = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
