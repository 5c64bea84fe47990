import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const START = fileURLToPath(new URL("./start.ts", import.meta.url));

test("a wrong variable stops `npm start` in a sentence that names it, before anything is made", async () => {
  const environment = {
    RELAYKEY_MAIL_TRANSPORT: "smtp",
    RELAYKEY_MAIL_FROM: "a@example.com",
    SMTP_URL: "hunter2",
  };
  const folder = mkdtempSync(join(tmpdir(), "relaykey-start-"));
  try {
    const state = join(folder, "state");
    const failure = (await promisify(execFile)(process.execPath, [START, "--state", state], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
    }).catch((error: unknown) => error)) as { code: number; stdout: string; stderr: string };
    expect(failure.code).toBe(1);
    expect(failure.stderr).toMatch(/^relaykey: SMTP_URL must be [^\n]+\n$/m);
    expect(failure.stdout + failure.stderr).not.toContain("hunter2");
    expect(existsSync(state)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
