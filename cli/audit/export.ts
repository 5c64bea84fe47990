import { once } from "node:events";
import { query } from "../client.ts";
import type { CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { RecordCutter } from "./records.ts";

export const EXPORT_FORMATS = ["ndjson", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Between two words on how far it is. */
const PROGRESS_EVERY_MS = 200;

/**
 * Writes every event that fits, as the API streams them and as fast as the reader takes them. How far it is goes to standard
 * error, where that is a terminal.
 *
 * @throws Failure that says where to go on when the stream broke off; what was written until then are whole events.
 */
export async function exportEvents(
  context: CliContext,
  filter: Readonly<Record<string, string | undefined>>,
  format: ExportFormat,
): Promise<void> {
  const isCsv = format === "csv";
  const cutter = new RecordCutter(isCsv);
  const progress = new Progress();
  let last: Buffer | null = null;
  let count = 0;
  let headings = isCsv;
  try {
    for await (const chunk of context.stream(`/audit-events/export${query({ ...filter, format })}`)) {
      for (const record of cutter.push(chunk)) {
        const isHeadings = headings;
        headings = false;
        if (isHeadings && filter["cursor"] !== undefined) continue;
        if (!process.stdout.write(record)) await once(process.stdout, "drain");
        if (isHeadings) continue;
        last = record;
        count += 1;
      }
      progress.show(count);
    }
    if (!cutter.isEmpty) throw new Failure("The answer ended within an event.");
  } catch (error) {
    progress.end();
    if (last === null || !(error instanceof Failure)) throw error;
    throw new Failure(
      `${error.message} The export broke off after ${events(count)}: go on with --cursor ${requestId(last, format)}.`,
    );
  }
  progress.end();
  context.printer.err(`${events(count)}.`);
}

/** A line that is written over and over, on a terminal only. */
class Progress {
  #shownAt = 0;

  show(count: number): void {
    const now = Date.now();
    if (!process.stderr.isTTY || now - this.#shownAt < PROGRESS_EVERY_MS) return;
    this.#shownAt = now;
    process.stderr.write(`\r${events(count)} …`);
  }

  end(): void {
    if (this.#shownAt > 0) process.stderr.write("\r\u001b[K");
  }
}

function events(count: number): string {
  return count === 1 ? "1 event" : `${String(count)} events`;
}

/** It is the first column. */
function requestId(record: Buffer, format: ExportFormat): string {
  const text = record.toString("utf8");
  return format === "csv"
    ? text.slice(0, text.indexOf(","))
    : String((JSON.parse(text) as { request_id: unknown }).request_id);
}
