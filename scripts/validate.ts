/** `npm run validate`: every check that is not a test. Each runs, also after another failed; the summary comes last. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const PARTS = ["core", "db", "workers", "control-plane", "local", "cli", "scripts", "e2e", "bench"];

const CHECKS: readonly Check[] = [
  { name: "types", command: ["tsc", "--build"] },
  { name: "format", command: ["prettier", "--check", "--log-level=warn", "."] },
  { name: "lint", command: ["eslint", "--max-warnings=0", "."] },
  { name: "imports", command: ["depcruise", "--config", ".dependency-cruiser.cjs", ...PARTS] },
  { name: "unused code", command: ["knip"] },
  { name: "generated files", command: [process.execPath, "scripts/generate.ts", "--check"] },
];

const results = CHECKS.map((check) => {
  console.log(`\n-- ${check.name}`);
  const began = performance.now();
  const [program = "", ...args] = check.command;
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit" });
  return { ...check, ok: status === 0, seconds: (performance.now() - began) / 1_000 };
});

console.log("");
for (const { name, ok, seconds } of results) {
  console.log(`${ok ? "ok    " : "FAILED"} ${name.padEnd(16)} ${seconds.toFixed(1)} s`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
