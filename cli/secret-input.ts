import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { Secret } from "@relaykey/core/secret";
import { Failure, usage } from "./failure.ts";

/** How keys of well-known vendors (and our own) begin. */
const SECRET_SHAPES =
  /^(?:sk-|[srp]k_(?:live|test)_|SG\.|xox[a-z]-|xapp-|gh[pousr]_|github_pat_|glpat-|AKIA|ASIA|AIza|re_[A-Za-z0-9]{8}|glsa_|sbp_|hf_|rk_(?:proxy|mgmt)_)/;
const SECRET_OPTIONS = /^--(?:secret|token|api-?key|vendor-?key|password)(?:=|$)/;

/**
 * Refuses a command line that carries a key: other users of the machine can read it in the list of processes, and the
 * shell writes it into its history.
 *
 * @throws Failure that does not repeat the argument.
 */
export function refuseSecretArguments(all: readonly string[]): void {
  const args = ownArguments(all);
  const values = args.flatMap((argument) => [argument, argument.slice(argument.indexOf("=") + 1)]);
  if (
    args.some((argument) => SECRET_OPTIONS.test(argument)) ||
    values.some((value) => SECRET_SHAPES.test(value))
  ) {
    throw usage(
      "A key was given as an argument, where other programs and the shell's history can read it. Consider it leaked. Pipe " +
        "a vendor key in with --secret-stdin, or leave it out and type it at the prompt; the management token goes into " +
        "RELAYKEY_MANAGEMENT_TOKEN; a RelayKey is named by its id.",
    );
  }
}

/** What follows -- in `rk run -- cmd …` is the command's own business: it would be the same without rk. */
function ownArguments(args: readonly string[]): readonly string[] {
  const separator = args.indexOf("--");
  return separator > 0 && args.slice(0, separator).includes("run") ? args.slice(0, separator) : args;
}

/** How a command is given a vendor key. */
export interface SecretOption {
  readonly secretStdin?: true;
}

export function secretOption(command: Command): Command {
  return command.option("--secret-stdin", "read the vendor key from standard input instead of asking for it");
}

/** A terminal or a pipe. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown };

/**
 * Takes a vendor key from standard input, or asks for it without showing what is typed.
 *
 * @throws Failure when there is neither, or nothing was given.
 */
export async function readSecret(
  fromStdin: boolean,
  label: string,
  input: Input = process.stdin,
  output: Writable = process.stderr,
): Promise<Secret> {
  if (!fromStdin && input.isTTY !== true) {
    throw usage("Pipe the vendor key in and add --secret-stdin: there is no terminal to ask at.");
  }
  const text = fromStdin ? await readAll(input) : await prompt(label, input, output);
  if (text === "") throw usage("The vendor key is empty: nothing was stored.");
  if (/[\r\n]/.test(text)) throw usage("The vendor key spans several lines: pipe in the key alone.");
  return new Secret(text);
}

/** Everything up to the end, without the line end that `echo` adds. */
async function readAll(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input as AsyncIterable<Buffer>) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

const ENTER = new Set(["\r", "\n", "\u0004"]);
const ERASE = new Set(["\u007f", "\b"]);
const INTERRUPT = "\u0003";

function prompt(label: string, input: Input, output: Writable): Promise<string> {
  output.write(`${label}: `);
  input.setRawMode?.(true);
  input.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    const finish = (settle: () => void): void => {
      input.off("data", onData);
      input.setRawMode?.(false);
      input.pause();
      output.write("\n");
      settle();
    };
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString("utf8")) {
        if (ENTER.has(character)) {
          finish(() => {
            resolve(typed);
          });
          return;
        }
        if (character === INTERRUPT) {
          finish(() => {
            reject(new Failure("Stopped: nothing was stored."));
          });
          return;
        }
        typed = ERASE.has(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    input.on("data", onData);
  });
}
