import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readWorkerSpec } from "../config/worker-spec.ts";
import type { WorkerSpec } from "../config/worker-spec.ts";
import { PLATFORM } from "../config/workerd.ts";
import type { Outbound, PlacedWorker } from "../config/workerd.ts";
import { freePorts } from "../ports.ts";
import { runWorkerd, until, untilAnswers } from "./run-workerd.ts";

/** A Worker of a test: the words of its wrangler file, and what the stack would decide for it. */
export interface SmallWorker {
  readonly name: string;
  /** TOML after the lines that every Worker has. */
  readonly wrangler?: string;
  /** A wrangler file of the project instead: absolute path. */
  readonly config?: string;
  /** Absolute path of the main module. */
  readonly main: string;
  /** Told where each Worker answers, by name. */
  readonly vars?: (url: (worker: string) => string) => Readonly<Record<string, string>>;
  /** Bindings beside those of its wrangler file. */
  readonly services?: WorkerSpec["services"];
  readonly outbound?: Outbound;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Some Workers and the platform Worker on a real workerd, in a folder of their own. */
export interface SmallStack {
  readonly folder: string;
  /** Where a Worker, or the platform under `PLATFORM`, answers. */
  url(worker: string): string;
  /** The operator's door, with the right token unless another is given. */
  operator(method: string, path: string, token?: string | null): Promise<Response>;
  /** Ends workerd with SIGKILL behind its supervisor's back, and waits until that has started it again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLATFORM_FOLDER = join(ROOT, "local/platform");
export const PROBE = join(PLATFORM_FOLDER, "test/probe.ts");
/** The platform with a clock that a test can turn. */
const TURNED_PLATFORM = join(PLATFORM_FOLDER, "test/turned-platform.ts");
const TOKEN = "operator-token-of-a-test";

/** @throws Error when workerd does not answer; its last words are in the message. */
export async function startSmallStack(workers: readonly SmallWorker[]): Promise<SmallStack> {
  const folder = mkdtempSync(join(tmpdir(), "relaykey-small-"));
  try {
    return await start(folder, workers);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function start(folder: string, workers: readonly SmallWorker[]): Promise<SmallStack> {
  const ports = Object.values(await freePorts());
  const all = [...workers, platformWorker()];
  const url = (worker: string): string =>
    `http://127.0.0.1:${String(ports[all.findIndex(({ name }) => name === worker)] ?? 0)}`;
  const placed = await Promise.all(all.map((worker, index) => place(folder, worker, ports[index], url)));
  const workerd = await runWorkerd(folder, placed);
  const operator: SmallStack["operator"] = (method, path, token = TOKEN) =>
    fetch(`${url(PLATFORM)}${path}`, {
      method,
      headers: token === null ? {} : { Authorization: `Bearer ${token}` },
    });
  const stop = async (): Promise<void> => {
    await workerd.end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const started = await operator("POST", "/start");
    if (!started.ok) throw new Error(`The platform did not start: ${await started.text()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    url,
    operator,
    stop,
    crash: async () => {
      const { pid } = workerd;
      if (pid === null) throw new Error("workerd does not run.");
      process.kill(pid, "SIGKILL");
      await until(() => workerd.pid !== null && workerd.pid !== pid);
      await untilAnswers(placed, workerd);
    },
  };
}

function platformWorker(): SmallWorker {
  return {
    name: PLATFORM,
    main: TURNED_PLATFORM,
    config: join(PLATFORM_FOLDER, "wrangler.toml"),
    secrets: { RELAYKEY_PLATFORM_TOKEN: TOKEN },
  };
}

async function place(
  folder: string,
  worker: SmallWorker,
  port: number | undefined,
  url: (worker: string) => string,
): Promise<PlacedWorker> {
  const home = join(folder, worker.name);
  mkdirSync(home);
  const config = worker.config ?? join(home, "wrangler.toml");
  if (worker.config === undefined) {
    writeFileSync(config, wranglerFile(worker.name, worker.main, worker.wrangler));
  }
  const spec = readWorkerSpec(config);
  return {
    spec: {
      ...spec,
      services: [...spec.services, ...(worker.services ?? [])],
      secrets: [...new Set([...spec.secrets, ...Object.keys(worker.secrets ?? {})])],
    },
    bundle: await bundle(worker.main, config, join(home, "out")),
    vars: worker.vars?.(url) ?? {},
    secrets: worker.secrets ?? {},
    outbound: worker.outbound ?? { kind: "nothing" },
    listen: port === undefined ? null : `127.0.0.1:${String(port)}`,
  };
}

/** A wrangler file with what every Worker must say. */
export function wranglerFile(name: string, main: string, more = ""): string {
  const lines = [
    `name = ${JSON.stringify(name)}`,
    `main = ${JSON.stringify(main)}`,
    'compatibility_date = "2026-10-01"',
  ];
  return `${lines.join("\n")}\n${more}`;
}

/** Bundles as the launcher does: with wrangler, as if for a deployment. */
async function bundle(main: string, config: string, out: string): Promise<string> {
  const wrangler = join(ROOT, "node_modules/.bin/wrangler");
  await promisify(execFile)(
    wrangler,
    ["deploy", main, "--dry-run", "--outdir", out, "--config", config],
    // Two bundlers at once must not share wrangler's folder for temporary files: it makes one in the working directory.
    { cwd: join(out, ".."), env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
  );
  return join(out, main.replace(/^.*\//, "").replace(/\.ts$/, ".js"));
}
