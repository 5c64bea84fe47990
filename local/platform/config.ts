import { filesBinding, workerBinding } from "./layout.ts";
import type { Layout } from "./layout.ts";

/** What a consumer's `queue()` left behind (workerd's `FetcherQueueResult`). */
export interface QueueResult {
  readonly outcome: string;
  readonly ackAll: boolean;
  readonly retryBatch: { readonly retry: boolean; readonly delaySeconds?: number };
  readonly explicitAcks: readonly string[];
  readonly retryMessages: readonly { readonly msgId: string; readonly delaySeconds?: number }[];
}

/** A message as workerd's `queue()` event takes it: `serializedBody` for the "v8" content type, `body` for all others. */
export interface DeliveredMessage {
  readonly id: string;
  readonly timestamp: Date;
  readonly attempts: number;
  readonly body?: unknown;
  readonly serializedBody?: ArrayBuffer;
}

/** A service binding with the handlers that `service_binding_extra_handlers` adds. */
export interface WorkerHandlers {
  queue(
    name: string,
    messages: readonly DeliveredMessage[],
    metadata: { metrics: { backlogCount: number; backlogBytes: number } },
  ): Promise<QueueResult>;
  scheduled(event: { scheduledTime: Date; cron: string }): Promise<{ outcome: string }>;
  fetch(request: Request): Promise<Response>;
}

/** The launcher wrote the layout from checked wrangler files, so it is read as it is. */
export function readLayout(env: Env): Layout {
  return JSON.parse(env.RELAYKEY_LAYOUT) as Layout;
}

/** @throws Error naming the binding when the launcher did not make it. */
export function workerHandlers(env: Env, worker: string): WorkerHandlers {
  return binding(env, workerBinding(worker)) as WorkerHandlers;
}

/** @throws Error naming the binding when the launcher did not make it. */
export function assetFolder(env: Env, worker: string): Pick<Fetcher, "fetch"> {
  return binding(env, filesBinding(worker)) as Pick<Fetcher, "fetch">;
}

function binding(env: Env, name: string): unknown {
  const found: unknown = Reflect.get(env, name);
  if (typeof found !== "object" || found === null)
    throw new Error(`The platform Worker has no binding ${name}.`);
  return found;
}
