import { openSync, closeSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { deriveLocalKeys } from "@relaykey/core/envelope";
import { buildWorkers } from "./build.ts";
import { StartError } from "./config/error.ts";
import { generateConfig } from "./config/workerd.ts";
import { loadPublicMailDomains } from "./mail-domains.ts";
import { placeWorkers } from "./placement.ts";
import { SITES, claimPorts, freePorts, siteUrl } from "./ports.ts";
import type { Ports, Site } from "./ports.ts";
import { seed } from "./seed.ts";
import type { Seeded } from "./seed.ts";
import { startSqlEndpoint } from "./sql/endpoint.ts";
import type { SqlEndpoint } from "./sql/endpoint.ts";
import type { SqlBackend } from "./sql/backend.ts";
import { migrateBackend } from "./sql/migrate-backend.ts";
import { openPglite } from "./sql/pglite.ts";
import { openPostgres } from "./sql/postgres.ts";
import { EVALUATION } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { StateFolder } from "./state.ts";
import type { LocalFile } from "./state.ts";
import { Workerd } from "./workerd.ts";

export interface StackOptions {
  /** Folder that keeps everything. */
  readonly state: string;
  /** The first of five neighbouring ports, or "free" for any. */
  readonly port: number | "free";
  /** A PostgreSQL to use instead of the built-in one. */
  readonly databaseUrl?: string;
  /** Where it is reached and how mail leaves; without, an evaluation on this machine. */
  readonly settings?: Settings;
  /** Hears what is going on, a line at a time. */
  readonly log?: (line: string) => void;
}

/** A running local edition. */
export interface Stack {
  readonly local: LocalFile;
  readonly state: string;
  /** Opens the dashboard once, for fifteen minutes. */
  readonly signInLink: string;
  /** Where the database answers, for what has to look behind the API. The URL holds its password. */
  readonly database: { readonly url: string; readonly endpoint: string };
  /** True when this start made the demo key. */
  readonly isFirstStart: boolean;
  /** Process id of workerd, for measurements; null while it is down. */
  workerdPid(): number | null;
  stop(): Promise<void>;
  /** Ends workerd with SIGKILL, as a crash would; it stays down until `restartWorkerd`. */
  kill(): Promise<void>;
  restartWorkerd(): Promise<void>;
  /** Empties the KV namespace with this binding name. */
  deleteKvNamespace(binding: string): Promise<void>;
  /** Operations asked of KV and queues since the last start of workerd, by kind. */
  operations(): Promise<Readonly<Record<string, number>>>;
}

const HEALTH_DEADLINE_MS = 30_000;

/**
 * Starts everything on this machine: database, Workers on raw workerd, demo data.
 *
 * @throws StartError with a sentence that says what to put right.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { log = () => undefined, settings = EVALUATION } = options;
  const state = new StateFolder(resolve(options.state));
  const unlock = lock(state);
  const closers: (() => Promise<void> | void)[] = [unlock];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
    closers.length = 0;
  };
  try {
    const ports = options.port === "free" ? await freePorts() : await claimPorts(options.port);
    const secrets = state.secrets();
    const bundles = await buildWorkers(log);

    log(
      options.databaseUrl === undefined ? "Opening the built-in database …" : "Connecting to DATABASE_URL …",
    );
    const backend = await openBackend(state, options.databaseUrl);
    closers.push(() => backend.close());
    await migrateBackend(backend, (name) => {
      log(`Migrating: ${name}`);
    });
    await loadPublicMailDomains(backend);
    const sql = await startSqlEndpoint({ backend, password: secrets.SQL_PASSWORD });
    closers.push(() => sql.close());

    const workerd = await configureWorkerd({ state, ports, sql, bundles, settings, log });
    closers.push(() => workerd.end("SIGTERM"));
    const platform = `http://127.0.0.1:${String(workerd.operatorPort)}`;
    const token = secrets.RELAYKEY_PLATFORM_TOKEN;
    const command = async (method: string, path: string): Promise<void> => {
      await operator(platform, token, method, path);
    };
    const bringUp = async (): Promise<void> => {
      workerd.start();
      await untilHealthy([...SITES.map((site) => siteUrl(ports[site])), platform], workerd);
      await command("POST", "/start");
    };
    log("Starting the Workers …");
    await bringUp();

    const before = state.local();
    log(before === null ? "Making the first organization …" : "Checking the first organization …");
    const seeded = await seed({
      backend,
      tokenKey: secrets.RELAYKEY_TOKEN_KEY,
      controlPlane: siteUrl(ports.controlPlane),
      // The demo upstream is on this machine.
      demoUpstream: settings.devUpstreams ? siteUrl(ports.upstream) : null,
      before,
    });
    const local = localFile(ports, seeded);
    state.writeLocal(local);
    return {
      local,
      state: state.path,
      signInLink: `${settings.publicUrls?.controlPlane ?? local.controlPlane}/sign-in/link?token=${seeded.signInToken}`,
      database: {
        url: `postgres://relaykey:${secrets.SQL_PASSWORD}@localhost/relaykey`,
        endpoint: sql.url,
      },
      isFirstStart: before === null,
      workerdPid: () => workerd.pid,
      stop: closeAll,
      kill: () => workerd.end("SIGKILL"),
      restartWorkerd: bringUp,
      deleteKvNamespace: (binding) => command("DELETE", `/kv/${encodeURIComponent(binding)}`),
      operations: async () =>
        JSON.parse(await operator(platform, token, "GET", "/operations")) as Record<string, number>,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openBackend(state: StateFolder, databaseUrl: string | undefined): Promise<SqlBackend> {
  if (databaseUrl === undefined) return openPglite(state.folder("pgdata"));
  const backend = openPostgres(databaseUrl);
  try {
    await backend.script("SELECT 1");
    return backend;
  } catch (error) {
    await backend.close();
    throw new StartError(
      `DATABASE_URL cannot be reached: ${error instanceof Error ? error.message : "unknown error"}. Check its host, user and password.`,
    );
  }
}

async function configureWorkerd({
  state,
  ports,
  sql,
  bundles,
  settings,
  log,
}: {
  readonly state: StateFolder;
  readonly ports: Ports;
  readonly sql: SqlEndpoint;
  readonly bundles: Awaited<ReturnType<typeof buildWorkers>>;
  readonly settings: Settings;
  readonly log: (line: string) => void;
}): Promise<Workerd & { operatorPort: number }> {
  const secrets = state.secrets();
  const { publicKey } = await deriveLocalKeys(secrets.RELAYKEY_MASTER_KEY).catch(() => {
    throw new StartError(`${state.file("secrets.json")}: RELAYKEY_MASTER_KEY must be 32 bytes in base64.`);
  });
  const operatorPort = (await freePorts(Object.values(ports))).proxy;
  const workers = placeWorkers({
    ports,
    operatorPort,
    sqlEndpoint: sql.url,
    secrets,
    sealingKey: publicKey,
    auditPublicKey: (await openSigner(secrets.RELAYKEY_AUDIT_KEY)).publicKey.text,
    settings,
    bundles,
  });
  const { text, environment } = generateConfig(workers, state.folder("objects"));
  const config = state.file("config.capnp");
  writeFileSync(config, text, { mode: 0o600 });
  const workerd = new Workerd({ config, environment, log: state.file("workerd.log"), onCrash: log });
  return Object.assign(workerd, { operatorPort });
}

function localFile(ports: Ports, seeded: Seeded): LocalFile {
  const sites = Object.fromEntries(SITES.map((site) => [site, siteUrl(ports[site])])) as Record<Site, string>;
  return { ...sites, demo: seeded.demo, managementToken: seeded.managementToken };
}

async function untilHealthy(urls: readonly string[], workerd: Workerd): Promise<void> {
  const deadline = Date.now() + HEALTH_DEADLINE_MS;
  for (const url of urls) {
    for (;;) {
      const problem = await healthProblem(url);
      if (problem === null) break;
      if (Date.now() > deadline) {
        throw new StartError(`${url} does not answer: ${problem}\n${workerd.lastWords}`);
      }
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}

async function healthProblem(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
    if (response.ok) return null;
    return `status ${String(response.status)}: ${await response.text()}`;
  } catch (error) {
    return error instanceof Error ? error.message : "no connection";
  }
}

async function operator(platform: string, token: string, method: string, path: string): Promise<string> {
  const response = await fetch(`${platform}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
  });
  if (!response.ok)
    throw new StartError(`The platform Worker answered ${String(response.status)} to ${method} ${path}.`);
  return response.text();
}

/** One start per state folder: two would write to the same databases. */
function lock(state: StateFolder): () => void {
  const file = state.file("lock");
  for (let attempt = 0; ; attempt += 1) {
    try {
      const handle = openSync(file, "wx", 0o600);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => {
        rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 0) throw error;
      const owner = Number(readFileSync(file, "utf8"));
      if (isAlive(owner)) {
        throw new StartError(
          `Another RelayKey (process ${String(owner)}) uses the state folder ${state.path}. Stop it, or choose another: npm start -- --state DIR`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
