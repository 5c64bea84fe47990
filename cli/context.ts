import type { Command } from "commander";
import { call, stream } from "./client.ts";
import type { Json, Method } from "./client.ts";
import { findConnection } from "./connection.ts";
import type { Printer } from "./output.ts";

/** What every command works with. */
export interface CliContext {
  readonly printer: Printer;
  /** Where the API is. */
  readonly url: string;
  call(method: Method, path: string, body?: object): Promise<Json>;
  /** Reads an answer that is a stream. */
  stream(path: string): AsyncIterable<Uint8Array>;
}

/** The options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly state?: string;
  readonly profile?: string;
}

export function printerOf(command: Command): Printer {
  const { json = false } = command.optsWithGlobals<GlobalOptions>();
  return {
    json,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
  };
}

/** Reads the options that every command has. */
function contextOf(command: Command): CliContext {
  const connection = findConnection(process.env, command.optsWithGlobals<GlobalOptions>());
  return {
    printer: printerOf(command),
    url: connection.url,
    call: (method, path, body) => call(connection, method, path, body),
    stream: (path) => stream(connection, path),
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
