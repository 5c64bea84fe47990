/**
 * `npm test`: checks the code, then runs every test. Arguments are handed to vitest and skip the checks, so that
 * `npm test -- core/token` is quick. The last line counts tests: "N passed, N failed, N skipped".
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

const checks = args.length > 0 ? 0 : run(process.execPath, [join(ROOT, "scripts/validate.ts")]);
const report = runTests();
const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
if (checks !== 0) console.log("The checks failed: see their summary above the tests.");
console.log(`${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`);
process.exitCode = report.success && checks === 0 && passed > 0 ? 0 : 1;

function runTests(): Report {
  const folder = mkdtempSync(join(tmpdir(), "relaykey-test-"));
  const file = join(folder, "report.json");
  try {
    const code = run("vitest", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...args,
    ]);
    const written = JSON.parse(readFileSync(file, "utf8")) as Report;
    return { ...written, success: written.success && code === 0 };
  } catch {
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, success: false };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, parameters: readonly string[]): number {
  return spawnSync(command, parameters, { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}
