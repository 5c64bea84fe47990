import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { StartError } from "./config/error.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");

/** A Worker of the project, by the name of its bundle. */
export interface WorkerSource {
  readonly name: string;
  /** Relative to the project. */
  readonly config: string;
  /** Whether it is deployed, or belongs to the local edition only. */
  readonly deployed: boolean;
}

export const WORKERS = [
  { name: "proxy", config: "wrangler.toml", deployed: true },
  { name: "audit", config: "workers/audit/wrangler.toml", deployed: true },
  { name: "confirm", config: "workers/confirm/wrangler.toml", deployed: true },
  { name: "control-plane", config: "control-plane/wrangler.toml", deployed: true },
  { name: "platform", config: "local/platform/wrangler.toml", deployed: false },
  { name: "outbox", config: "local/outbox/wrangler.toml", deployed: false },
  { name: "upstream", config: "local/upstream/wrangler.toml", deployed: false },
] as const satisfies readonly WorkerSource[];

export type WorkerName = (typeof WORKERS)[number]["name"];

/** A bundle on disk. Sizes in bytes. */
export interface Bundle {
  readonly name: WorkerName;
  /** Absolute path of the main module. */
  readonly path: string;
  readonly size: number;
  readonly gzip: number;
}

const SOURCES = ["core", "db", "workers", "control-plane", "local", "wrangler.toml", "pnpm-lock.yaml"];
const LEFT_OUT = new Set(["node_modules", ".tsbuild", "build", "dist", ".wrangler"]);

/**
 * Bundles every Worker as `wrangler deploy` would, and the dashboard before the control plane that holds it. Skips the
 * work when no source has changed since the last time.
 *
 * @throws StartError with the bundler's own words.
 */
export async function buildWorkers(log: (line: string) => void): Promise<Bundle[]> {
  const stamp = join(DIST, ".sources");
  const sources = hashSources();
  const isBuilt = existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
  if (!isBuilt) {
    log("Building the dashboard …");
    await run("remix", ["vite:build"], join(ROOT, "control-plane"));
    for (const { name, config } of WORKERS) {
      log(`Bundling ${name} …`);
      await run("wrangler", ["deploy", "--dry-run", "--outdir", join(DIST, name), "--config", config], ROOT);
    }
    writeFileSync(stamp, sources);
  }
  return WORKERS.map(({ name, config }) => {
    const path = join(DIST, name, config === "control-plane/wrangler.toml" ? "worker.js" : "index.js");
    const text = readFileSync(path);
    return { name, path, size: text.length, gzip: gzipSync(text).length };
  });
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const bin = [
    join(cwd, "node_modules", ".bin"),
    join(ROOT, "node_modules", ".bin"),
    process.env["PATH"],
  ].join(":");
  try {
    await promisify(execFile)(program, [...args], {
      cwd,
      env: { ...process.env, PATH: bin, WRANGLER_SEND_METRICS: "false", NODE_ENV: "production" },
      maxBuffer: 64 * 1_024 * 1_024,
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new StartError(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  }
}

/** One hash over the contents of everything that bundles are made of. */
function hashSources(): string {
  const hash = createHash("sha256");
  const visit = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (!LEFT_OUT.has(name)) visit(join(path, name));
    } else {
      hash.update(path).update(readFileSync(path));
    }
  };
  for (const name of SOURCES) visit(join(ROOT, name));
  return hash.digest("hex");
}
