import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { LocalFile } from "@relaykey/local/state";

/** What a run of `rk` came to. */
export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const CLI_PROGRAM = fileURLToPath(new URL("../cli/rk.ts", import.meta.url));

interface Circumstances {
  /** The user's own folder. */
  readonly home: string;
  /** Called whenever it has written something, with all it wrote to standard output. */
  readonly act?: (pid: number, out: string) => void;
  /** Runs it within another program, such as one that is a terminal. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

/** Runs `rk` as a process of its own, against a running local edition, to its end. */
export function startCli(
  args: readonly string[],
  local: LocalFile,
  { home, act = () => undefined, wrap = (command) => command }: Circumstances,
): Promise<CliRun> {
  const [program = "", ...rest] = wrap([process.execPath, CLI_PROGRAM, ...args]);
  const child = spawn(program, rest, {
    cwd: tmpdir(),
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      RELAYKEY_API_URL: local.controlPlane,
      RELAYKEY_MANAGEMENT_TOKEN: local.managementToken,
    },
  });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    text.out += chunk.toString();
    act(child.pid ?? 0, text.out);
  });
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  child.stdin.end();
  return new Promise((resolve) => {
    child.on("close", (code) => {
      resolve({ code, ...text });
    });
  });
}
