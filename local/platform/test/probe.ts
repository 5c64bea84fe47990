/**
 * The Worker that the platform's tests put in front of it. `POST /call` calls any method of any binding with the
 * arguments of its JSON body; `queue()` does what the messages tell it; `GET /notes` shows what reached the handlers.
 */
import { DurableObject } from "cloudflare:workers";
import { fromWire, toWire } from "./wire.ts";

interface ProbeEnv {
  readonly NOTEBOOK: DurableObjectNamespace<Notebook>;
}

/** What a message's body asks for, attempt by attempt; the last step repeats. */
interface Plan {
  readonly steps: readonly string[];
}

/** On disk, so that a killed process loses no note. */
export class Notebook extends DurableObject {
  note(entries: readonly string[]): void {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS notes (entry TEXT)");
    for (const entry of entries) this.ctx.storage.sql.exec("INSERT INTO notes VALUES (?)", entry);
  }

  all(): string[] {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS notes (entry TEXT)");
    return this.ctx.storage.sql
      .exec<{ entry: string }>("SELECT entry FROM notes ORDER BY rowid")
      .toArray()
      .map(({ entry }) => entry);
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/notes") {
      return new Response(`[${(await env.NOTEBOOK.getByName("all").all()).join(",")}]`);
    }
    if (pathname !== "/call") return new Response(`${request.method} at the probe`);
    const { binding, method, args } = fromWire(await request.text()) as {
      binding: string;
      method: string;
      args: unknown[];
    };
    const target = Reflect.get(env, binding) as Record<string, (...args: unknown[]) => Promise<unknown>>;
    try {
      return new Response(await toWire({ result: await target[method]?.(...args) }));
    } catch (error) {
      return new Response(await toWire({ error: String(error) }));
    }
  },

  async queue(batch, env): Promise<void> {
    const batchId = crypto.randomUUID();
    const notes = batch.messages.map(({ id, attempts, timestamp, body }) =>
      toWire({ queue: batch.queue, batch: batchId, id, attempts, sentAt: timestamp, at: Date.now(), body }),
    );
    await env.NOTEBOOK.getByName("all").note(await Promise.all(notes));
    let failure: string | null = null;
    for (const message of batch.messages) {
      const { steps = [] } = (message.body ?? {}) as Partial<Plan>;
      const step = steps[message.attempts - 1] ?? steps.at(-1) ?? "";
      const [action = "", seconds] = step.split(":");
      const options = seconds === undefined ? {} : { delaySeconds: Number(seconds) };
      if (action === "ack") message.ack();
      if (action === "retry") message.retry(options);
      if (action === "ackAll") batch.ackAll();
      if (action === "retryAll") batch.retryAll(options);
      if (action === "wait") await scheduler.wait(Number(seconds) * 1_000);
      if (action === "throw") failure = "A message asked for this.";
      if (action === "ackAllThenThrow") {
        batch.ackAll();
        failure = "A message asked for this.";
      }
    }
    if (failure !== null) throw new Error(failure);
  },

  async scheduled({ cron, scheduledTime }, env): Promise<void> {
    const note = await toWire({ cron, scheduledTime, at: Date.now() });
    await env.NOTEBOOK.getByName("all").note([note]);
    if (cron === "*/1 * * * *") throw new Error("This trigger always fails.");
  },
} satisfies ExportedHandler<ProbeEnv>;
