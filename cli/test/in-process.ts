import { vi } from "vitest";
import { runProgram } from "../program.ts";
import type { Run } from "./process.ts";

/** Runs `rk` within this process, which is much faster than one of its own. It has no standard input. */
export async function runHere(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const text = { out: "", err: "" };
  const keep = (stream: keyof typeof text) => (chunk: unknown) => {
    text[stream] += chunk instanceof Uint8Array ? Buffer.from(chunk).toString("utf8") : String(chunk);
    return true;
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(keep("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(keep("err")),
  ];
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    const code = await runProgram(args);
    return { code: code === 0 ? setByCommand() : code, ...text };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}

/** What a command made the exit code of a success. */
function setByCommand(): number {
  return Number(process.exitCode);
}
