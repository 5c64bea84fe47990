import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wranglerFile } from "../test/small-stack.ts";
import { StartError } from "./error.ts";
import { readWorkerSpec } from "./worker-spec.ts";
import type { WorkerSpec } from "./worker-spec.ts";

let folder = "";
let path = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-spec-"));
  path = join(folder, "wrangler.toml");
  writeFileSync(join(folder, "index.js"), "export default {};");
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function read(more = "", file?: string): WorkerSpec {
  writeFileSync(path, file ?? wranglerFile("worker", "index.js", more));
  return readWorkerSpec(path);
}

function problem(more = "", file?: string): string {
  try {
    read(more, file);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as Error).message;
  }
  return "No problem.";
}

test("a file that says nothing more needs nothing", () => {
  expect(read()).toEqual({
    name: "worker",
    configPath: path,
    compatibilityDate: "2026-10-01",
    compatibilityFlags: [],
    vars: {},
    secrets: [],
    objects: [],
    namespaces: [],
    services: [],
    producers: [],
    consumers: {},
    crons: [],
    assets: null,
  });
});

test("a consumer that does not say has Cloudflare's defaults; one that says, its own words in milliseconds", () => {
  const { consumers } = read(`
[[queues.consumers]]
queue = "silent"
[[queues.consumers]]
queue = "loud"
max_batch_size = 7
max_batch_timeout = 0
max_retries = 0
retry_delay = 2
dead_letter_queue = "dead"
`);
  // developers.cloudflare.com/queues/configuration/configure-queues
  const silent = {
    batchSize: 10,
    batchTimeoutMs: 5_000,
    maxRetries: 3,
    retryDelayMs: 0,
    deadLetterQueue: null,
  };
  const loud = {
    batchSize: 7,
    batchTimeoutMs: 0,
    maxRetries: 0,
    retryDelayMs: 2_000,
    deadLetterQueue: "dead",
  };
  expect(consumers).toEqual({
    silent: { worker: "worker", ...silent },
    loud: { worker: "worker", ...loud },
  });
});

test("building, deploying and observing are nobody's business here", () => {
  const more = `
workers_dev = true
route = "example.com/*"
account_id = "0"
minify = true
observability.enabled = true
limits.cpu_ms = 50
`;
  expect(read(more).name).toBe("worker");
});

test.each([
  ["ai", 'ai.binding = "AI"'],
  ["analytics_engine_datasets", 'analytics_engine_datasets = [{ binding = "X", dataset = "x" }]'],
  ["browser", 'browser.binding = "X"'],
  ["containers", 'containers = [{ class_name = "X", image = "docker.io/x/x:1" }]'],
  ["d1_databases", 'd1_databases = [{ binding = "X", database_name = "x", database_id = "x" }]'],
  ["dispatch_namespaces", 'dispatch_namespaces = [{ binding = "X", namespace = "x" }]'],
  ["hyperdrive", 'hyperdrive = [{ binding = "X", id = "x" }]'],
  ["images", 'images.binding = "X"'],
  ["mtls_certificates", 'mtls_certificates = [{ binding = "X", certificate_id = "x" }]'],
  ["pipelines", 'pipelines = [{ binding = "X", pipeline = "x" }]'],
  ["r2_buckets", 'r2_buckets = [{ binding = "X", bucket_name = "xxx" }]'],
  ["ratelimits", 'ratelimits = [{ name = "X", namespace_id = "1", simple = { limit = 1, period = 10 } }]'],
  ["secrets_store_secrets", 'secrets_store_secrets = [{ binding = "X", store_id = "x", secret_name = "x" }]'],
  ["send_email", 'send_email = [{ name = "X" }]'],
  ["tail_consumers", 'tail_consumers = [{ service = "x" }]'],
  ["unsafe", 'unsafe.bindings = [{ name = "X", type = "x" }]'],
  ["vectorize", 'vectorize = [{ binding = "X", index_name = "x" }]'],
  ["version_metadata", 'version_metadata.binding = "X"'],
  ["worker_loaders", 'worker_loaders = [{ binding = "X" }]'],
  ["workflows", 'workflows = [{ binding = "X", name = "x", class_name = "X" }]'],
])("%s, which exists on Cloudflare only, is refused by its name", (kind, more) => {
  expect(problem(more)).toBe(`${path} uses ${kind}, which the local edition cannot provide.`);
});

test.each([
  ["text that is not TOML", "", "name = ", "cannot be read"],
  ["a binding of the wrong shape", 'kv_namespaces = "POLICY"', undefined, "cannot be read"],
  [
    "a file without a name",
    "",
    'main = "index.js"\ncompatibility_date = "2026-10-01"',
    "does not name its Worker",
  ],
  [
    "a file without a compatibility date",
    "",
    'name = "worker"\nmain = "index.js"',
    "has no compatibility_date",
  ],
  ["a variable that is no text", "[vars]\nCOUNT = 3", undefined, "The variable COUNT in"],
  [
    "an object of another Worker",
    'durable_objects.bindings = [{ name = "BOX", class_name = "Box", script_name = "other" }]',
    undefined,
    "The object binding BOX in",
  ],
  [
    "an object class without SQLite",
    'durable_objects.bindings = [{ name = "BOX", class_name = "Box" }]\nmigrations = [{ tag = "v1", new_classes = ["Box"] }]',
    undefined,
    "The object class Box in",
  ],
  [
    "a cron that nobody can read",
    'triggers.crons = ["61 * * * *"]',
    undefined,
    '"61 * * * *" has an unreadable minute',
  ],
  [
    "routes for static assets",
    'assets = { directory = "public", run_worker_first = ["/api/*"] }',
    undefined,
    "assets.run_worker_first must be true or false",
  ],
])("%s is refused in a sentence that names the file and what is wrong", (_, more, file, complaint) => {
  const said = problem(more, file);
  expect(said).toContain(path);
  expect(said).toContain(complaint);
});

test("a missing file is named", () => {
  const missing = join(folder, "nowhere.toml");
  expect(() => readWorkerSpec(missing)).toThrow(StartError);
  expect(() => readWorkerSpec(missing)).toThrow(missing);
});
