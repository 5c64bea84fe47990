import { dirname, resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import type { Unstable_Config } from "wrangler";
import { parseCron } from "../platform/cron/expression.ts";
import { CONSUMER_DEFAULTS } from "../platform/layout.ts";
import type { QueueLayout } from "../platform/layout.ts";
import { StartError } from "./error.ts";

/** What a Worker's own wrangler file says of it, as far as the local edition provides it. */
export interface WorkerSpec {
  readonly name: string;
  /** Absolute path of the wrangler file. */
  readonly configPath: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  /** Names of the secrets without which the Worker does not run. */
  readonly secrets: readonly string[];
  readonly objects: readonly { readonly binding: string; readonly className: string }[];
  readonly namespaces: readonly string[];
  readonly services: readonly {
    readonly binding: string;
    readonly service: string;
    readonly entrypoint: string | null;
  }[];
  readonly producers: readonly {
    readonly binding: string;
    readonly queue: string;
    readonly delaySeconds: number;
  }[];
  /** By queue. */
  readonly consumers: Readonly<Record<string, QueueLayout>>;
  readonly crons: readonly string[];
  readonly assets: {
    readonly directory: string;
    readonly binding: string | null;
    readonly workerFirst: boolean;
  } | null;
}

/**
 * What of a wrangler file this edition provides, or may ignore because it only concerns building and deploying. All else
 * is refused, also kinds of bindings that wrangler will learn tomorrow: a Worker without its binding fails later, in use.
 */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  // Wrangler's own notes on what it read.
  ...["configPath", "userConfigPath", "topLevelName", "definedEnvironments", "targetEnvironment"],
  // Read below.
  ...[
    "name",
    "compatibility_date",
    "compatibility_flags",
    "vars",
    "secrets",
    "durable_objects",
    "migrations",
  ],
  ...["kv_namespaces", "services", "queues", "triggers", "assets"],
  // How the bundle is made: wrangler itself makes it.
  ...[
    "main",
    "alias",
    "base_dir",
    "build",
    "define",
    "find_additional_modules",
    "jsx_factory",
    "jsx_fragment",
  ],
  ...["keep_names", "minify", "no_bundle", "preserve_file_names", "python_modules", "rules", "tsconfig"],
  ...["upload_source_maps", "dependencies_instrumentation"],
  // Where and how Cloudflare runs it, and wrangler's development server.
  ...["account_id", "route", "routes", "workers_dev", "preview_urls", "previews", "placement", "limits"],
  ...["observability", "logpush", "compliance_region", "keep_vars", "send_metrics", "dev"],
]);

/**
 * Reads a wrangler file with wrangler's own reader.
 *
 * @throws StartError when the file cannot be read, or asks for what the local edition cannot provide.
 */
export function readWorkerSpec(configPath: string): WorkerSpec {
  const config = readWrangler(configPath);
  const { name, compatibility_date: compatibilityDate } = config;
  if (name === undefined) throw new StartError(`${configPath} does not name its Worker.`);
  if (compatibilityDate === undefined) throw new StartError(`${configPath} has no compatibility_date.`);
  for (const [kind, value] of Object.entries(config)) {
    if (!UNDERSTOOD.has(kind) && !isEmpty(value)) {
      throw new StartError(`${configPath} uses ${kind}, which the local edition cannot provide.`);
    }
  }
  return {
    name,
    configPath,
    compatibilityDate,
    compatibilityFlags: config.compatibility_flags,
    vars: readVars(config, configPath),
    secrets: config.secrets?.required ?? [],
    objects: readObjects(config, configPath),
    namespaces: config.kv_namespaces.map(({ binding }) => binding),
    services: (config.services ?? []).map(({ binding, service, entrypoint }) => ({
      binding,
      service,
      entrypoint: entrypoint ?? null,
    })),
    producers: (config.queues.producers ?? []).flatMap(({ binding, queue, delivery_delay: delaySeconds }) =>
      queue === undefined ? [] : [{ binding, queue, delaySeconds: delaySeconds ?? 0 }],
    ),
    consumers: readConsumers(config, name),
    crons: readCrons(config, configPath),
    assets: readAssets(config, configPath),
  };
}

/** Wrangler fills in what a file does not say: `[]`, `{}` or `{ bindings: [] }`. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  return Object.values(value).every(isEmpty);
}

function readWrangler(configPath: string): Unstable_Config {
  try {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- the linter cannot resolve wrangler's own declarations
    return unstable_readConfig({ config: configPath }, { hideWarnings: true });
  } catch (error) {
    throw new StartError(
      `${configPath} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function readVars(config: Unstable_Config, configPath: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.vars).map(([name, value]) => {
      if (typeof value !== "string")
        throw new StartError(`The variable ${name} in ${configPath} must be a text.`);
      return [name, value];
    }),
  );
}

function readObjects(config: Unstable_Config, configPath: string): WorkerSpec["objects"] {
  const sqlite = new Set(config.migrations.flatMap((migration) => migration.new_sqlite_classes ?? []));
  return config.durable_objects.bindings.map(({ name, class_name: className, script_name: script }) => {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- as above: both may be absent
    if (className === undefined || script !== undefined) {
      throw new StartError(
        `The object binding ${name} in ${configPath} must name a class of its own Worker.`,
      );
    }
    if (!sqlite.has(className)) {
      throw new StartError(
        `The object class ${className} in ${configPath} is in no new_sqlite_classes migration.`,
      );
    }
    return { binding: name, className };
  });
}

function readConsumers(config: Unstable_Config, worker: string): Record<string, QueueLayout> {
  return Object.fromEntries(
    (config.queues.consumers ?? []).map((consumer) => [
      consumer.queue,
      {
        worker,
        batchSize: consumer.max_batch_size ?? CONSUMER_DEFAULTS.batchSize,
        batchTimeoutMs: milliseconds(consumer.max_batch_timeout) ?? CONSUMER_DEFAULTS.batchTimeoutMs,
        maxRetries: consumer.max_retries ?? CONSUMER_DEFAULTS.maxRetries,
        retryDelayMs: milliseconds(consumer.retry_delay) ?? CONSUMER_DEFAULTS.retryDelayMs,
        deadLetterQueue: consumer.dead_letter_queue ?? null,
      },
    ]),
  );
}

function milliseconds(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1_000;
}

function readCrons(config: Unstable_Config, configPath: string): string[] {
  return (config.triggers.crons ?? []).map((expression) => {
    try {
      parseCron(expression);
    } catch (error) {
      throw new StartError(`${configPath}: ${error instanceof RangeError ? error.message : String(error)}`);
    }
    return expression;
  });
}

function readAssets(config: Unstable_Config, configPath: string): WorkerSpec["assets"] {
  const { assets } = config;
  if (assets?.directory === undefined) return null;
  if (Array.isArray(assets.run_worker_first)) {
    throw new StartError(
      `${configPath}: assets.run_worker_first must be true or false in the local edition.`,
    );
  }
  return {
    directory: resolve(dirname(configPath), assets.directory),
    binding: assets.binding ?? null,
    workerFirst: assets.run_worker_first ?? false,
  };
}
