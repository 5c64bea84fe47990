import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "./postgres.ts";

/**
 * For tests: a real PostgreSQL of its own in a temporary folder, on a Unix socket: no port, no cluster of the machine.
 *
 * @returns null when its server is not installed here.
 */
export async function startPostgres(): Promise<{ url: string; stop: () => void } | null> {
  const root = "/usr/lib/postgresql";
  const version = existsSync(root) ? readdirSync(root).sort().at(-1) : undefined;
  if (version === undefined || !existsSync(join(root, version, "bin/postgres"))) return null;
  const bin = join(root, version, "bin");
  const folder = mkdtempSync(join(tmpdir(), "relaykey-pg-"));
  const asRoot = process.getuid?.() === 0;
  // PostgreSQL refuses to run as root.
  const owner = asRoot
    ? {
        uid: Number(execFileSync("id", ["-u", "postgres"])),
        gid: Number(execFileSync("id", ["-g", "postgres"])),
      }
    : {};
  if (asRoot && owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "relaykey", "--auth=trust", "--no-sync"], {
    ...owner,
    stdio: "ignore",
  });
  const server: ChildProcess = spawn(
    join(bin, "postgres"),
    ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
    { ...owner, stdio: "ignore" },
  );
  const url = `postgres://relaykey@localhost/postgres?host=${encodeURIComponent(folder)}`;
  for (let attempt = 0; ; attempt += 1) {
    const probe = openPostgres(url);
    try {
      await probe.script("SELECT 1");
      break;
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await probe.close();
    }
  }
  return {
    url,
    stop: () => {
      server.kill("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
