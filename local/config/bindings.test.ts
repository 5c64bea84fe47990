import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import type { Unstable_Config } from "wrangler";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WORKERS } from "../build.ts";
import { freePorts } from "../ports.ts";
import { runWorkerd } from "../test/run-workerd.ts";
import type { Workerd } from "../workerd.ts";
import { readWorkerSpec } from "./worker-spec.ts";
import type { WorkerSpec } from "./worker-spec.ts";
import { PLATFORM } from "./workerd.ts";
import type { Outbound, PlacedWorker } from "./workerd.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SPECS = WORKERS.map(({ config }) => readWorkerSpec(join(ROOT, config)));

/** Stands in for a Worker's code: has the classes that others name, and tells what it was given. */
function witness({ objects }: WorkerSpec): string {
  const entrypoints = SPECS.flatMap(({ services }) => services.flatMap(({ entrypoint }) => entrypoint ?? []));
  const platform = ["KvNamespace", "QueueProducer", "StaticAssets", "AssetsFirst"];
  const names = new Set([...entrypoints, ...platform]);
  return `
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
${objects.map(({ className }) => `export class ${className} extends DurableObject {}`).join("\n")}
${[...names].map((name) => `export class ${name} extends WorkerEntrypoint {}`).join("\n")}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/reach") {
      return fetch(searchParams.get("url")).then((r) => r.text()).then((text) => new Response(text), () => new Response("unreachable"));
    }
    return Response.json(Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, typeof value === "string" ? value : value.constructor.name]),
    ));
  },
};`;
}

const OUTBOX = SPECS.findIndex(({ name }) => name === "relaykey-outbox");

function outbound(name: string, outbox: string): Outbound {
  if (name === "relaykey-proxy") return { kind: "network", allow: ["127.0.0.0/8"] };
  return name === "relaykey-audit" ? { kind: "server", address: outbox } : { kind: "nothing" };
}

let folder = "";
let workerd: Workerd | null = null;
let placed: PlacedWorker[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-bindings-"));
  const blocks = [await freePorts()];
  blocks.push(await freePorts(blocks.flatMap((block) => Object.values(block))));
  const ports = blocks.flatMap((block) => Object.values(block));
  placed = SPECS.map((spec, index) => {
    const bundle = join(folder, `${spec.name}.js`);
    writeFileSync(bundle, witness(spec));
    const directory = join(folder, `${spec.name}-assets`);
    mkdirSync(directory);
    return {
      // The dashboard may not be built yet. The witness stands before its files, to be asked.
      spec:
        spec.assets === null ? spec : { ...spec, assets: { ...spec.assets, directory, workerFirst: true } },
      bundle,
      vars: {},
      secrets: Object.fromEntries(spec.secrets.map((name) => [name, `${name} of ${spec.name}`])),
      outbound: outbound(spec.name, `127.0.0.1:${String(ports[OUTBOX])}`),
      listen: `127.0.0.1:${String(ports[index])}`,
    };
  });
  workerd = await runWorkerd(folder, placed);
});
afterAll(async () => {
  await workerd?.end("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function site(name: string): string {
  return `http://${placed.find(({ spec }) => spec.name === name)?.listen ?? "nowhere.invalid"}`;
}

/** What wrangler itself reads in the file, in the words of the runtime. */
function promised({ name, configPath }: WorkerSpec): Record<string, unknown> {
  const config = unstable_readConfig({ config: configPath }, { hideWarnings: true }) as Unstable_Config;
  const of = (kind: string, names: readonly (string | undefined)[]): Record<string, string> =>
    Object.fromEntries(names.map((binding) => [binding ?? "?", kind] as const));
  return {
    ...(config.vars as Record<string, unknown>),
    ...Object.fromEntries((config.secrets?.required ?? []).map((secret) => [secret, `${secret} of ${name}`])),
    ...of(
      "DurableObjectNamespace",
      config.durable_objects.bindings.map((binding) => binding.name),
    ),
    ...of(
      "KvNamespace",
      config.kv_namespaces.map(({ binding }) => binding),
    ),
    ...of(
      "WorkerQueue",
      (config.queues.producers ?? []).map(({ binding }) => binding),
    ),
    ...of(
      "Fetcher",
      (config.services ?? []).map(({ binding }) => binding),
    ),
    ...of("Fetcher", config.assets?.binding === undefined ? [] : [config.assets.binding]),
  };
}

test.each(SPECS.filter(({ name }) => name !== PLATFORM).map((spec) => [spec.name, spec] as const))(
  "%s has the bindings of its wrangler file on a real workerd, and no other",
  async (name, spec) => {
    expect(await (await fetch(site(name))).json()).toEqual(promised(spec));
  },
);

test("the platform Worker reaches the Workers that consume queues, have clocks or files, and no other", async () => {
  const spec = SPECS.find(({ name }) => name === PLATFORM) as WorkerSpec;
  const { RELAYKEY_LAYOUT: layout, ...bindings } = (await (await fetch(site(PLATFORM))).json()) as Record<
    string,
    string
  >;
  const { RELAYKEY_LAYOUT: _, ...own } = promised(spec);
  expect(bindings).toEqual({
    ...own,
    "WORKER_relaykey-audit": "Fetcher",
    "WORKER_relaykey-confirm": "Fetcher",
    "WORKER_relaykey-control-plane": "Fetcher",
    "FILES_relaykey-control-plane": "Fetcher",
  });
  expect(Object.keys((JSON.parse(layout ?? "") as { queues: object }).queues).sort()).toEqual([
    "relaykey-audit",
    "relaykey-audit-dead",
    "relaykey-mail",
    "relaykey-mail-dead",
    "relaykey-notices",
    "relaykey-notices-dead",
  ]);
});

test("a Worker calls what its place allows: a network, one server whatever the URL says, or nothing", async () => {
  const reach = async (name: string, url: string): Promise<string> => {
    const response = await fetch(`${site(name)}/reach?url=${encodeURIComponent(url)}`);
    return response.text();
  };
  const outbox = site("relaykey-outbox");
  for (const { name } of SPECS) {
    const reached =
      name === "relaykey-proxy" || name === "relaykey-audit"
        ? '{"MAILBOX":"DurableObjectNamespace"}'
        : "unreachable";
    expect(await reach(name, outbox), name).toBe(reached);
  }
  expect(await reach("relaykey-audit", "http://elsewhere.invalid/")).toBe(
    '{"MAILBOX":"DurableObjectNamespace"}',
  );
  expect(await reach("relaykey-proxy", "http://elsewhere.invalid/")).toBe("unreachable");
});
