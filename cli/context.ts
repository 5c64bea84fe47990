import type { Command } from "commander";
import { call } from "./client.ts";
import type { Json } from "./client.ts";
import { findConnection } from "./connection.ts";
import type { Printer } from "./output.ts";

/** What every command works with. */
export interface CliContext {
  readonly printer: Printer;
  call(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<Json>;
}

/** Reads the options that every command has. */
function contextOf(command: Command): CliContext {
  const { json = false, state } = command.optsWithGlobals<{ json?: boolean; state?: string }>();
  const connection = findConnection(process.env, state);
  return {
    printer: {
      json,
      out: (line) => process.stdout.write(`${line}\n`),
      err: (line) => process.stderr.write(`${line}\n`),
    },
    call: (method, path, body) => call(connection, method, path, body),
  };
}

/** A subcommand's handler gets the context in front of its own arguments. */
export function withContext<A extends readonly unknown[]>(
  run: (context: CliContext, ...args: A) => Promise<void>,
): (...args: [...A, Command]) => Promise<void> {
  return (...all) => {
    const command = all.at(-1) as Command;
    return run(contextOf(command), ...(all.slice(0, -1) as unknown as A));
  };
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** The options of a list. */
export interface PageOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

export function pageOptions(command: Command): Command {
  return command
    .option("--limit <n>", "entries per page, at most 200")
    .option("--cursor <cursor>", "where the page before ended");
}
