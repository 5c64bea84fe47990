import { filesBinding, workerBinding } from "../platform/layout.ts";
import type { Layout } from "../platform/layout.ts";
import { Embed, renderCapnp } from "./capnp.ts";
import type { CapnpValue } from "./capnp.ts";
import { StartError } from "./error.ts";
import { environmentName, secretEnvironment } from "./secret-environment.ts";
import type { WorkerSpec } from "./worker-spec.ts";

/** Where a Worker's global `fetch` may go. Nothing unless said. */
export type Outbound =
  | { readonly kind: "nothing" }
  /** Address blocks as `kj::Network::restrictPeers` takes them: CIDRs, "public", "private". */
  | {
      readonly kind: "network";
      readonly allow: readonly string[];
      /** Certificates (PEM) that vouch for servers beside those that browsers trust. */
      readonly trust?: readonly string[];
    }
  /** Every call lands at this one server, whatever its URL says. */
  | { readonly kind: "server"; readonly address: string };

/** One Worker of a stack: its wrangler file's words plus what this stack decides. */
export interface PlacedWorker {
  readonly spec: WorkerSpec;
  /** Absolute path of the bundled main module. */
  readonly bundle: string;
  /** Values of variables that the wrangler file declares and this stack sets. */
  readonly vars: Readonly<Record<string, string>>;
  /** Exactly the secrets that this Worker's plane may have. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  /** "host:port" to listen on, or null for a Worker that only other Workers reach. */
  readonly listen: string | null;
}

export interface GeneratedConfig {
  /** Cap'n Proto text without a single secret. */
  readonly text: string;
  /** The environment that workerd must have: the secrets, under names of their own per Worker. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Name of the Worker that stands in for Cloudflare's services. */
export const PLATFORM = "relaykey-platform";

/**
 * Generates the workerd configuration of a stack.
 *
 * @param objects folder of the Durable Objects' databases, absolute.
 * @throws StartError naming the secret, variable, binding or queue that is missing.
 */
export function generateConfig(workers: readonly PlacedWorker[], objects: string): GeneratedConfig {
  refuseTwins(workers);
  const layout = layoutOf(workers.map(({ spec }) => spec));
  const environment: Record<string, string> = {};
  const services: CapnpValue[] = [{ name: "objects", disk: { path: objects, writable: true } }];
  const sockets: CapnpValue[] = [];
  for (const worker of workers) {
    const { spec } = worker;
    Object.assign(environment, secretEnvironment(spec, worker.secrets));
    services.push(outboundService(worker), {
      name: spec.name,
      worker: workerStruct(worker, workers, layout),
    });
    if (spec.assets !== null)
      services.push({ name: filesService(spec), disk: { path: spec.assets.directory } });
    if (worker.listen !== null) {
      sockets.push({ name: spec.name, address: worker.listen, http: {}, service: entryService(spec) });
    }
  }
  const text = `# Generated from the Workers' wrangler files at each start. Secrets come from the environment.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = ${renderCapnp({ services, sockets })};
`;
  return { text, environment };
}

/** Names are services, folders and variables of the environment; an address has one listener. */
function refuseTwins(workers: readonly PlacedWorker[]): void {
  const names = new Set<string>();
  const listeners = new Map<string, string>();
  for (const { spec, listen } of workers) {
    if (names.has(spec.name)) throw new StartError(`Two Workers are named ${spec.name}.`);
    names.add(spec.name);
    if (listen === null) continue;
    const other = listeners.get(listen);
    if (other !== undefined)
      throw new StartError(`${other} and ${spec.name} would both listen on ${listen}.`);
    listeners.set(listen, spec.name);
  }
}

function layoutOf(specs: readonly WorkerSpec[]): Layout {
  const queues: Record<string, Layout["queues"][string]> = {};
  for (const { name, consumers } of specs) {
    for (const [queue, consumer] of Object.entries(consumers)) {
      const other = queues[queue];
      if (other !== undefined)
        throw new StartError(`The queue ${queue} has two consumers: ${other.worker} and ${name}.`);
      queues[queue] = consumer;
    }
  }
  const written = specs.flatMap(({ name, producers, consumers }) => [
    ...producers.map(({ queue }) => ({ name, queue })),
    ...Object.values(consumers).flatMap(({ deadLetterQueue: queue }) =>
      queue === null ? [] : [{ name, queue }],
    ),
  ]);
  for (const { name, queue } of written) {
    if (!Object.hasOwn(queues, queue))
      throw new StartError(`${name} writes to the queue ${queue}, which no Worker consumes.`);
  }
  return {
    queues,
    crons: specs.flatMap(({ name, crons }) => crons.map((expression) => ({ worker: name, expression }))),
  };
}

function workerStruct(worker: PlacedWorker, workers: readonly PlacedWorker[], layout: Layout): CapnpValue {
  const { spec, bundle } = worker;
  return {
    compatibilityDate: spec.compatibilityDate,
    compatibilityFlags: spec.compatibilityFlags,
    modules: [{ name: "index.js", esModule: new Embed(bundle) }],
    bindings: [
      ...varBindings(worker, layout),
      ...spec.secrets.map((name) => ({ name, fromEnvironment: environmentName(spec, name) })),
      ...spec.objects.map(({ binding, className }) => ({ name: binding, durableObjectNamespace: className })),
      ...serviceBindings(spec, workers),
      ...platformBindings(spec),
      ...(spec.name === PLATFORM ? handlerBindings(workers, layout) : []),
    ],
    globalOutbound: outboundName(spec),
    ...(spec.objects.length === 0
      ? {}
      : {
          durableObjectNamespaces: spec.objects.map(({ className }) => ({
            className,
            // Names the folder of the objects' databases: changing it loses them.
            uniqueKey: `${spec.name}-${className}`,
            enableSql: true,
          })),
          durableObjectStorage: { localDisk: "objects" },
        }),
  };
}

function varBindings({ spec, vars }: PlacedWorker, layout: Layout): CapnpValue[] {
  for (const name of Object.keys(vars)) {
    if (!Object.hasOwn(spec.vars, name)) {
      throw new StartError(
        `${spec.name} needs the variable ${name}: declare it under [vars] in ${spec.configPath}.`,
      );
    }
  }
  const values = {
    ...spec.vars,
    ...vars,
    ...(spec.name === PLATFORM ? { RELAYKEY_LAYOUT: JSON.stringify(layout) } : {}),
  };
  return Object.entries(values).map(([name, text]) => ({ name, text }));
}

function serviceBindings(spec: WorkerSpec, workers: readonly PlacedWorker[]): CapnpValue[] {
  return spec.services.map(({ binding, service, entrypoint }) => {
    if (!workers.some((other) => other.spec.name === service)) {
      throw new StartError(
        `The binding ${binding} of ${spec.name} points at ${service}, which is no Worker of this stack.`,
      );
    }
    return { name: binding, service: { name: service, entrypoint: entrypoint ?? undefined } };
  });
}

/** KV, queues and static assets: bindings of their own kind that end at the platform Worker. */
function platformBindings(spec: WorkerSpec): CapnpValue[] {
  const platform = (entrypoint: string, props: object): CapnpValue => ({
    name: PLATFORM,
    entrypoint,
    props: { json: JSON.stringify(props) },
  });
  return [
    ...spec.namespaces.map((namespace) => ({
      name: namespace,
      kvNamespace: platform("KvNamespace", { namespace }),
    })),
    ...spec.producers.map(({ binding, queue, delaySeconds }) => ({
      name: binding,
      queue: platform("QueueProducer", { queue, delaySeconds }),
    })),
    ...(spec.assets?.binding == null
      ? []
      : [{ name: spec.assets.binding, service: platform("StaticAssets", { worker: spec.name }) }]),
  ];
}

/** The platform Worker's way to those whose handlers and files it serves. */
function handlerBindings(workers: readonly PlacedWorker[], layout: Layout): CapnpValue[] {
  const called = new Set([
    ...Object.values(layout.queues).map(({ worker }) => worker),
    ...layout.crons.map(({ worker }) => worker),
    ...workers.flatMap(({ spec }) => (spec.assets === null ? [] : [spec.name])),
  ]);
  return [
    ...[...called].map((name) => ({ name: workerBinding(name), service: name })),
    ...workers.flatMap(({ spec }) =>
      spec.assets === null ? [] : [{ name: filesBinding(spec.name), service: filesService(spec) }],
    ),
  ];
}

function entryService(spec: WorkerSpec): CapnpValue {
  if (spec.assets === null || spec.assets.workerFirst) return spec.name;
  return {
    name: PLATFORM,
    entrypoint: "AssetsFirst",
    props: { json: JSON.stringify({ worker: spec.name }) },
  };
}

function outboundService({ spec, outbound }: PlacedWorker): CapnpValue {
  const name = outboundName(spec);
  switch (outbound.kind) {
    case "nothing":
      return { name, network: { allow: [] } };
    case "server":
      return { name, external: { address: outbound.address, http: {} } };
    case "network":
      return {
        name,
        network: {
          allow: outbound.allow,
          tlsOptions: { trustBrowserCas: true, trustedCertificates: outbound.trust ?? [] },
        },
      };
  }
}

function filesService({ name }: WorkerSpec): string {
  return `${name}-files`;
}

function outboundName({ name }: WorkerSpec): string {
  return `${name}-outbound`;
}
