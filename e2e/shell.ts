import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SDKS = fileURLToPath(new URL("./node_modules", import.meta.url));
const DEADLINE_MS = 45_000;

/** A folder of somebody who tries something: the vendors' SDKs are installed there. */
export class Workplace {
  readonly #folder = mkdtempSync(join(tmpdir(), "relaykey-workplace-"));

  constructor() {
    symlinkSync(SDKS, join(this.#folder, "node_modules"));
  }

  /** Keeps a text that was copied. */
  save(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
  }

  /** Types commands into a shell. @returns what they printed, both streams, and how the last one ended. */
  run(commands: string): Promise<{ readonly status: number; readonly printed: string }> {
    // Nothing of the tests' own environment, in which keys of vendors could be.
    const env = { PATH: process.env["PATH"], HOME: this.#folder };
    const options = { cwd: this.#folder, env, timeout: DEADLINE_MS };
    return new Promise((resolve) => {
      execFile("/bin/sh", ["-c", commands], options, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ status, printed: `${stdout}\n${stderr}` });
      });
    });
  }

  leave(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
