/** How a queue is drained; the names and defaults are those of a Worker's `[[queues.consumers]]`. */
export interface QueueLayout {
  /** Worker whose `queue()` takes the messages. */
  readonly worker: string;
  /** Messages per batch at most. */
  readonly batchSize: number;
  /** How long a message may wait for its batch to fill. */
  readonly batchTimeoutMs: number;
  /** Further attempts after the first one. */
  readonly maxRetries: number;
  /** Wait before a retry that does not name its own delay. */
  readonly retryDelayMs: number;
  /** Where a message goes after its last attempt; without one it is dropped, as on Cloudflare. */
  readonly deadLetterQueue: string | null;
}

/** What the launcher read from the Workers' own wrangler files. */
export interface Layout {
  readonly queues: Readonly<Record<string, QueueLayout>>;
  readonly crons: readonly { readonly worker: string; readonly expression: string }[];
}

/** Cloudflare's defaults for a consumer that does not say (developers.cloudflare.com/queues/configuration). */
export const CONSUMER_DEFAULTS = {
  batchSize: 10,
  batchTimeoutMs: 5_000,
  maxRetries: 3,
  retryDelayMs: 0,
} as const;

/** Name of the platform Worker's binding to a Worker whose handlers it calls. */
export function workerBinding(worker: string): string {
  return `WORKER_${worker}`;
}

/** Name of the platform Worker's binding to the folder of a Worker's static assets. */
export function filesBinding(worker: string): string {
  return `FILES_${worker}`;
}
