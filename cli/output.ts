import type { Json } from "./client.ts";
import { Failure } from "./failure.ts";

/** A column of a table: its heading and what it shows of an entry. */
export type Column = readonly [heading: string, show: (entry: Json) => unknown];

/** What a command prints: one thing, a list, or a change. */
export interface Printer {
  readonly json: boolean;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** One thing, a line per member. */
export function printOne(printer: Printer, answer: Json, name: string): void {
  if (printer.json) {
    printer.out(JSON.stringify(answer, null, 2));
    return;
  }
  const entries = Object.entries(answer[name] as Json);
  const width = Math.max(...entries.map(([member]) => member.length));
  for (const [member, value] of entries) printer.out(`${member.padEnd(width)}  ${cell(value)}`);
}

/** Something that leaves nothing to be shown. */
export function printDone(printer: Printer, answer: Json, sentence: string): void {
  if (printer.json) printer.out(JSON.stringify(answer, null, 2));
  else printer.err(sentence);
}

/** Something secret that is shown this once: alone on standard output, so that it can be piped to where it is kept. */
export function printOnce(printer: Printer, answer: Json, name: string, sentence: string): void {
  if (printer.json) {
    printer.out(JSON.stringify(answer, null, 2));
    return;
  }
  printer.err(`${sentence}, shown this once:`);
  printer.out(String(answer[name]));
}

/** A page of a list as a table. */
export function printList(printer: Printer, answer: Json, columns: readonly Column[]): void {
  if (printer.json) {
    printer.out(JSON.stringify(answer, null, 2));
    return;
  }
  const entries = answer["data"] as readonly Json[];
  if (entries.length === 0) printer.err("Nothing here.");
  else {
    const rows = [
      columns.map(([heading]) => heading),
      ...entries.map((entry) => columns.map(([, show]) => cell(show(entry)))),
    ];
    const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
    for (const row of rows) {
      printer.out(
        row
          .map((text, index) => text.padEnd(widths[index] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    }
  }
  if (typeof answer["next_cursor"] === "string") printer.err(`More: add --cursor ${answer["next_cursor"]}`);
}

/**
 * A change that must be enforced. One that is not in force when the command ends is a failure for a script, although it
 * is stored and will be brought to the proxy.
 *
 * @throws Failure after printing, when the change is pending.
 */
export function printChange(printer: Printer, answer: Json, name: string): void {
  printOne(printer, answer, name);
  const enforcement = answer["enforcement"] as { state: string; keys?: number; pending?: number };
  if (enforcement.state === "enforced") {
    if (!printer.json) printer.err("In force.");
    return;
  }
  const which =
    enforcement.pending === undefined
      ? ""
      : ` for ${String(enforcement.pending)} of ${String(enforcement.keys)} keys`;
  throw new Failure(
    `Stored, but not in force yet${which}: the proxy could not confirm it. RelayKey keeps trying.`,
  );
}

/** One value on one line; control characters (an attacker chooses paths and user agents) are made visible. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  const text =
    Array.isArray(value) && value.every((item) => typeof item === "string")
      ? value.join(", ")
      : typeof value === "string"
        ? value
        : JSON.stringify(value);
  return text.replace(
    /[\p{Cc}\p{Cf}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
