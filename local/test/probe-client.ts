import { until } from "./run-workerd.ts";
import { PROBE } from "./small-stack.ts";
import type { SmallStack, SmallWorker } from "./small-stack.ts";

/** A delivery as the probe noted it. */
export interface Delivery {
  readonly queue: string;
  /** The same for all messages of one call of `queue()`. */
  readonly batch: string;
  readonly id: string;
  readonly attempts: number;
  readonly sentAt: { readonly $date: string };
  readonly at: number;
  readonly body: unknown;
}

/** A call of the probe's `scheduled()`. */
export interface Ring {
  readonly cron: string;
  readonly scheduledTime: number;
  readonly at: number;
}

/** The probe Worker with its notebook, and whatever else its wrangler file shall say. */
export function probe(name: string, wrangler: string): SmallWorker {
  const notebook = `
[[durable_objects.bindings]]
name = "NOTEBOOK"
class_name = "Notebook"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Notebook"]
`;
  return { name, main: PROBE, wrangler: wrangler + notebook };
}

/** What a test says to a probe. Values that JSON lacks travel as `platform/test/wire.ts` says. */
export class ProbeClient {
  readonly #stack: SmallStack;
  readonly #url: string;

  constructor(stack: SmallStack, worker = "probe") {
    this.#stack = stack;
    this.#url = stack.url(worker);
  }

  /** @throws Error with the words of the error that the binding's method threw in the Worker. */
  async call(binding: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
    const response = await fetch(`${this.#url}/call`, {
      method: "POST",
      body: JSON.stringify({ binding, method, args }),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return result;
  }

  async notes<T = Delivery>(): Promise<T[]> {
    return (await (await fetch(`${this.#url}/notes`)).json()) as T[];
  }

  /** The deliveries from a queue, once it holds no message any more: none can follow. */
  async drained(queue: string): Promise<Delivery[]> {
    await until(async () => (await this.backlog(queue)) === 0);
    return (await this.notes()).filter((note) => note.queue === queue);
  }

  async backlog(queue: string): Promise<number> {
    const response = await this.#stack.operator("GET", "/queues");
    const backlogs = (await response.json()) as Record<string, { backlogCount: number }>;
    return backlogs[queue]?.backlogCount ?? Number.NaN;
  }
}
