import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { StartError } from "./config/error.ts";

/** The package is CommonJS without types; its `default` is the path of the binary for this machine. */
const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };

const FIRST_PAUSE_MS = 200;
/** Time that requests under way get to finish when everything stops. */
const DRAIN_MS = 3_000;
const LAST_PAUSE_MS = 10_000;
/** A process that lived this long had started well. */
const SETTLED_MS = 10_000;

/** A supervised workerd: started again when it ends without being asked to. */
export class Workerd {
  readonly #config: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #log: string;
  readonly #onCrash: (line: string) => void;
  #child: ChildProcess | null = null;
  #stopping = false;
  #supervised: Promise<void> = Promise.resolve();
  #tail = "";

  constructor(options: {
    readonly config: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly log: string;
    readonly onCrash: (line: string) => void;
  }) {
    this.#config = options.config;
    this.#environment = options.environment;
    this.#log = options.log;
    this.#onCrash = options.onCrash;
  }

  start(): void {
    this.#stopping = false;
    this.#supervised = this.#supervise();
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The last lines it wrote: what is wrong when it does not answer. */
  get lastWords(): string {
    return this.#tail.split("\n").slice(-6).join("\n").trim();
  }

  /**
   * Ends it and waits until it has. SIGTERM lets requests under way finish, but not for ever: a stream may have no end.
   * SIGKILL leaves it no time for anything.
   */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#stopping = true;
    this.#child?.kill(signal);
    const patience = setTimeout(() => this.#child?.kill("SIGKILL"), DRAIN_MS);
    await this.#supervised;
    clearTimeout(patience);
  }

  async #supervise(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping) {
      const began = Date.now();
      const code = await this.#run();
      if (this.#isStopping()) return;
      if (Date.now() - began > SETTLED_MS) pause = FIRST_PAUSE_MS;
      this.#onCrash(
        `workerd ended (${code}); starting it again in ${String(pause)} ms. Its log: ${this.#log}`,
      );
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }

  // Read through a method, because it changes while #run is awaited.
  #isStopping(): boolean {
    return this.#stopping;
  }

  async #run(): Promise<string> {
    const log = createWriteStream(this.#log, { flags: "a", mode: 0o600 });
    const child = spawn(binary, ["serve", "--experimental", "--import-path=/", this.#config], {
      stdio: ["ignore", "pipe", "pipe"],
      // Only the Workers' own secrets: nothing of the caller's environment.
      env: this.#environment,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        log.write(chunk);
        this.#tail = (this.#tail + chunk.toString()).slice(-4_000);
      });
    }
    const [code, signal] = (await Promise.race([
      once(child, "exit"),
      once(child, "error").then(([error]: unknown[]) => {
        throw new StartError(`workerd could not be started: ${String(error)}`);
      }),
    ])) as [number | null, string | null];
    this.#child = null;
    log.end();
    return signal ?? `exit code ${String(code)}`;
  }
}
