import { appendFileSync, readFileSync } from "node:fs";
import { inject } from "vitest";

/**
 * Every secret that a test made, kept beside the state folder and never in it, so that at the end all that the system
 * wrote can be searched for them.
 */
export function noteSecret(value: string): void {
  appendFileSync(inject("witness"), `${JSON.stringify(value)}\n`, { mode: 0o600 });
}

export function notedSecrets(): string[] {
  return readFileSync(inject("witness"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as string);
}
