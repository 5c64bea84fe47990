import { expect, test } from "vitest";
import { StartError } from "./error.ts";
import { PLATFORM, generateConfig } from "./workerd.ts";
import type { PlacedWorker } from "./workerd.ts";
import type { WorkerSpec } from "./worker-spec.ts";

const CONSUMER = { batchSize: 10, batchTimeoutMs: 0, maxRetries: 0, retryDelayMs: 0, deadLetterQueue: null };

function worker(
  name: string,
  spec: Partial<WorkerSpec> = {},
  placed: Partial<Omit<PlacedWorker, "spec">> = {},
): PlacedWorker {
  return {
    spec: {
      name,
      configPath: `${name}/wrangler.toml`,
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
      ...spec,
    },
    bundle: `/${name}.js`,
    vars: {},
    secrets: {},
    outbound: { kind: "nothing" },
    listen: null,
    ...placed,
  };
}

function consumes(queue: string, deadLetterQueue: string | null = null): Partial<WorkerSpec> {
  return { consumers: { [queue]: { ...CONSUMER, worker: "a", deadLetterQueue } } };
}

test.each<[string, PlacedWorker[], string]>([
  ["a missing secret", [worker("a", { secrets: ["KEY"] })], "a needs the secret KEY, which is missing."],
  [
    "an empty secret",
    [worker("a", { secrets: ["KEY"] }, { secrets: { KEY: "" } })],
    "a needs the secret KEY, which is missing.",
  ],
  [
    "a secret that a Worker does not ask for",
    [worker("a", { secrets: ["KEY"] }, { secrets: { KEY: "x", MASTER: "y" } })],
    "a must not have the secret MASTER: its wrangler file does not ask for it.",
  ],
  [
    "a variable that the wrangler file does not declare",
    [worker("a", {}, { vars: { SITE: "x" } })],
    "a needs the variable SITE: declare it under [vars] in a/wrangler.toml.",
  ],
  [
    "a binding to a Worker that is not there",
    [worker("a", { services: [{ binding: "B", service: "b", entrypoint: null }] })],
    "The binding B of a points at b, which is no Worker of this stack.",
  ],
  [
    "a queue that nobody consumes",
    [worker("a", { producers: [{ binding: "Q", queue: "jobs", delaySeconds: 0 }] })],
    "a writes to the queue jobs, which no Worker consumes.",
  ],
  [
    "a dead-letter queue that nobody consumes",
    [worker("a", consumes("jobs", "dead"))],
    "a writes to the queue dead, which no Worker consumes.",
  ],
  [
    "a queue with two consumers",
    [worker("a", consumes("jobs")), worker("b", consumes("jobs"))],
    "The queue jobs has two consumers: a and b.",
  ],
  ["two Workers of one name", [worker("a"), worker("a")], "Two Workers are named a."],
  [
    "two Workers on one port",
    [worker("a", {}, { listen: "127.0.0.1:1" }), worker("b", {}, { listen: "127.0.0.1:1" })],
    "a and b would both listen on 127.0.0.1:1.",
  ],
])("%s stops the start with a sentence that names it", (_, workers, sentence) => {
  expect(() => generateConfig(workers, "/objects")).toThrow(new StartError(sentence));
});

test("no secret stands in the configuration, and none is overwritten by another Worker's", () => {
  const names = ["a-b", "a_b", "A-B", "a-b__KEY"];
  const workers = names.map((name) =>
    worker(
      name,
      { secrets: ["KEY", "KEY__KEY"] },
      { secrets: { KEY: `1 of ${name}`, KEY__KEY: `2 of ${name}` } },
    ),
  );
  const { text, environment } = generateConfig(workers, "/objects");
  const secrets = workers.flatMap((one) => Object.values(one.secrets));
  expect(Object.values(environment).sort()).toEqual(secrets.sort());
  for (const secret of secrets) expect(text).not.toContain(secret);
  for (const name of Object.keys(environment)) expect(text).toContain(`fromEnvironment = "${name}"`);
});

test("only the platform Worker is told who consumes which queue and when clocks ring", () => {
  const workers = [
    worker("a", { ...consumes("jobs"), crons: ["* * * * *"], vars: { RELAYKEY_LAYOUT: "of a" } }),
    worker(PLATFORM, { vars: { RELAYKEY_LAYOUT: "{}" } }),
  ];
  const { text } = generateConfig(workers, "/objects");
  expect(text.match(/name = "WORKER_/g)).toHaveLength(1);
  expect(text).toContain('name = "RELAYKEY_LAYOUT", text = "of a"');
  const layout = /text = "(\{.*\})"\)/.exec(text)?.[1]?.replaceAll('\\"', '"') ?? "";
  expect(JSON.parse(layout)).toEqual({
    queues: { jobs: { ...CONSUMER, worker: "a" } },
    crons: [{ worker: "a", expression: "* * * * *" }],
  });
});

test("objects find their databases again: the name of their folder is the Worker's and the class's, for ever", () => {
  const objects = [{ binding: "BOX", className: "Box" }];
  const { text } = generateConfig([worker("a", { objects }), worker("b", { objects })], "/objects");
  expect(text.match(/uniqueKey = "[^"]*"/g)).toEqual(['uniqueKey = "a-Box"', 'uniqueKey = "b-Box"']);
  expect(text).toContain('name = "objects", disk = (path = "/objects", writable = true)');
});
