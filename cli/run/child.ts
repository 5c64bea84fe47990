import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** As shells say it: the command was not found, or could not be started. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;
const SIGNAL_BASE = 128;

/** Takes the signals of this process for a child that may not be there yet: nothing ends it before it has tidied up. */
export class SignalRelay {
  #child: ChildProcess | null = null;
  #early: NodeJS.Signals | null = null;
  readonly #impatience = new AbortController();
  readonly #listeners = FORWARDED.map((signal) => {
    const listener = (): void => {
      this.#take(signal);
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });

  /** The exit code of a signal that came before there was a child; null: none did. */
  get stopped(): number | null {
    return this.#early === null ? null : signalCode(this.#early);
  }

  /** Aborted by a signal that comes after the child has ended. */
  get impatience(): AbortSignal {
    return this.#impatience.signal;
  }

  follow(child: ChildProcess): void {
    this.#child = child;
    if (this.#early !== null) child.kill(this.#early);
  }

  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#child === null) {
      this.#early ??= signal;
      return;
    }
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      this.#impatience.abort();
      return;
    }
    // A terminal's Ctrl-C has reached the child already, which is of the same process group.
    const isFromTerminal = process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT");
    if (!isFromTerminal) this.#child.kill(signal);
  }
}

/** Runs a command to its end. @returns its exit code, as a shell would give it. */
export function runChild(
  [program = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  signals: SignalRelay,
  say: (line: string) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: "inherit" });
    signals.follow(child);
    child.on("error", (error: NodeJS.ErrnoException) => {
      say(`rk: ${program} could not be started (${error.code ?? "unknown"}).`);
      resolve(error.code === "ENOENT" ? NOT_FOUND : NOT_STARTED);
    });
    child.on("exit", (code, signal) => {
      resolve(code ?? (signal === null ? 1 : signalCode(signal)));
    });
  });
}

function signalCode(signal: NodeJS.Signals): number {
  return SIGNAL_BASE + constants.signals[signal];
}
