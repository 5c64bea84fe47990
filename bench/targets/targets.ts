import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";
import { GET_MODELS, POST_CHAT, assertRelays } from "./call.ts";
import type { Call } from "./call.ts";
import { freePort, startServer } from "./process.ts";
import type { Running } from "./process.ts";

/** Something that relays requests to the upstream, and how to call it. */
export interface Target {
  readonly name: string;
  /** Without a trailing slash; the path of the call is appended. */
  readonly url: string;
  readonly call: Call;
  /** The limit that those are measured against who take the same call. */
  readonly isBare?: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The RelayKey that `headers` hold. */
  readonly keyId?: string;
  /** The process whose CPU time and memory count. */
  pid(): number;
}

/** Everything that takes part, the upstream included. */
export interface Field {
  readonly targets: readonly Target[];
  readonly stack: Stack;
  /** Peers that could not take part, and why. */
  readonly absent: readonly string[];
  stop(): Promise<void>;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const { default: workerdBinary } = require("workerd") as { default: string };
const NGINX = "/usr/sbin/nginx";

/** Starts the upstream and all that relay to it, each in a process of its own. */
export async function startField(log: (line: string) => void): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), "relaykey-bench-"));
  const running: Running[] = [];
  const absent: string[] = [];
  const start = async (
    name: string,
    begin: () => Promise<Target & { running: Running }>,
  ): Promise<Target[]> => {
    log(`Starting ${name} …`);
    try {
      const target = await begin();
      running.push(target.running);
      await assertRelays(target);
      return [target];
    } catch (error) {
      absent.push(
        `${name}: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
      );
      return [];
    }
  };

  const upstreamPort = await freePort();
  const upstream = `http://127.0.0.1:${String(upstreamPort)}`;
  log("Starting the upstream …");
  running.push(await startWorker(folder, "upstream", upstreamPort, {}));
  const stack = await startStack({ state: join(folder, "state"), port: "free", log });
  const targets = [
    ...(await start("bare Worker", () => bareWorker(folder, upstream))),
    ...(await relayKey(stack, upstream)),
    ...(await start("Fastify", () => fastify(upstream))),
    ...(await start("nginx", () => nginx(folder, upstream))),
    ...(await start("Portkey", () => portkey(upstream))),
  ];
  return {
    targets: [...targets, ...counterparts(targets)],
    stack,
    absent,
    stop: async () => {
      await stack.stop();
      for (const one of running) await one.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bare Worker and RelayKey once more, for the peers that take another call than the rest. */
function counterparts(targets: readonly Target[]): Target[] {
  if (!targets.some(({ call }) => call === POST_CHAT)) return [];
  return targets
    .filter(({ name, isBare }) => isBare === true || name === "RelayKey")
    .map((target) => ({ ...target, name: `${target.name} (POST)`, call: POST_CHAT }));
}

type Started = Promise<Target & { running: Running }>;

async function bareWorker(folder: string, upstream: string): Started {
  const port = await freePort();
  const running = await startWorker(folder, "bare", port, { UPSTREAM: upstream });
  return {
    name: "bare Worker",
    url: local(port),
    call: GET_MODELS,
    isBare: true,
    headers: {},
    pid: () => running.pid,
    running,
  };
}

/** The same key service twice: as it is delivered, and without looking for the vendor key in answers. */
async function relayKey(stack: Stack, upstream: string): Promise<Target[]> {
  const { controlPlane, managementToken, proxy } = stack.local;
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${controlPlane}/api/v1${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${managementToken}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Record<string, unknown>;
  };
  await call("/holders", { name: "bench", kind: "service" });
  const targets: Target[] = [];
  for (const [name, slug, scrub] of [
    ["RelayKey", "bench", true],
    ["RelayKey, no scrubbing", "bench-plain", false],
  ] as const) {
    const credential = { kind: "bearer" };
    const secret = `vendor-key-${crypto.randomUUID()}`;
    await call("/integrations", { slug, upstream, credential, secret, scrub_responses: scrub });
    const { key, token } = await call("/keys", {
      holder: "bench",
      integration: slug,
      allow: ["GET /v1/**", "POST /v1/**"],
      ip: { mode: "allowlist", cidrs: ["127.0.0.0/8"] },
    });
    targets.push({
      name,
      url: `${proxy}/${slug}`,
      call: GET_MODELS,
      headers: { Authorization: `Bearer ${String(token)}` },
      keyId: (key as { id: string }).id,
      pid: () => stack.workerdPid() ?? 0,
    });
  }
  return targets;
}

async function fastify(upstream: string): Started {
  const port = await freePort();
  const key = "rk_bench_key";
  const running = await startServer(process.execPath, [join(HERE, "fastify.js")], port, {
    UPSTREAM: upstream,
    PORT: String(port),
    KEY: key,
  });
  return {
    name: "Fastify",
    url: local(port),
    call: GET_MODELS,
    headers: { Authorization: `Bearer ${key}` },
    pid: () => running.pid,
    running,
  };
}

/**
 * Its gateway of this version answers each GET with 500 on Node.js: it adds headers to the answer of `fetch`, and those
 * cannot be changed ("TypeError: immutable"). Model calls it rebuilds, so these it is measured with.
 */
async function portkey(upstream: string): Started {
  const port = await freePort();
  const server = require.resolve("@portkey-ai/gateway/build/start-server.js");
  const running = await startServer(process.execPath, [server, `--port=${String(port)}`, "--headless"], port);
  return {
    name: "Portkey (POST)",
    url: local(port),
    call: POST_CHAT,
    headers: {
      Authorization: "Bearer vendor-key",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstream}/v1`,
    },
    pid: () => running.pid,
    running,
  };
}

/** Without a key look-up: what a general proxy of the same machine does. */
async function nginx(folder: string, upstream: string): Started {
  if (!existsSync(NGINX)) throw new Error("it is not installed");
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; master_process off;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream vendor { server ${new URL(upstream).host}; keepalive 64; }
  server {
    listen 127.0.0.1:${String(port)};
    keepalive_requests 1000000;
    location / {
      proxy_pass http://vendor; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Authorization "Bearer vendor-key";
      proxy_buffering off;
    }
  }
}
`,
  );
  const running = await startServer(NGINX, ["-c", file], port);
  return {
    name: "nginx (no keys)",
    url: local(port),
    call: GET_MODELS,
    headers: {},
    pid: () => running.pid,
    running,
  };
}

/** One Worker on raw workerd. */
async function startWorker(
  folder: string,
  name: "upstream" | "bare",
  port: number,
  bindings: Readonly<Record<string, string>>,
): Promise<Running> {
  const file = join(folder, `${name}.capnp`);
  const texts = Object.entries(bindings).map(([key, value]) => `(name = "${key}", text = "${value}")`);
  writeFileSync(join(folder, `${name}.js`), await readWorker(name));
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private", "local"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${String(port)}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed "${name}.js")],
  compatibilityDate = "2026-10-01",
  bindings = [${texts.join(", ")}]
);
`,
  );
  return startServer(workerdBinary, ["serve", file], port);
}

async function readWorker(name: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(join(HERE, `${name}.js`), "utf8");
}

function local(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}
