import { DurableObject } from "cloudflare:workers";
import { readLayout, workerHandlers } from "../config.ts";
import type { QueueResult } from "../config.ts";
import type { QueueLayout } from "../layout.ts";
import { log } from "@relaykey/core/log";
import { MAX_BATCH_BYTES, deliveredBody } from "./messages.ts";
import type { ContentType, NewMessage } from "./messages.ts";
import { fateOf } from "./settle.ts";

export interface QueueBacklog {
  readonly backlogCount: number;
  readonly backlogBytes: number;
}

/** Wait before the next attempt when the delivery itself failed, not the consumer. */
const FAILED_DELIVERY_PAUSE_MS = 1_000;

interface StoredMessage extends Record<string, SqlStorageValue> {
  id: string;
  sent_at: number;
  content_type: ContentType;
  body: ArrayBuffer;
  attempts: number;
}

/**
 * One queue as a SQLite object on disk. A message is accepted when its row is stored, and its row goes when the consumer
 * has acknowledged it or the dead-letter queue has stored it: delivery is at least once, also across kill -9.
 */
export class QueueStore extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS messages (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sent_at INTEGER NOT NULL,
        content_type TEXT NOT NULL,
        body BLOB NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        visible_at INTEGER NOT NULL
      );
      CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (visible_at, position);
    `);
  }

  /** Stores messages; one that is here already (a dead letter moved twice) is not stored again. */
  async enqueue(queue: string, messages: readonly NewMessage[]): Promise<QueueBacklog> {
    this.ctx.storage.kv.put("queue", queue);
    const now = Date.now();
    for (const { id, sentAt, contentType, body, delayMs } of messages) {
      this.#sql.exec(
        "INSERT OR IGNORE INTO messages (id, sent_at, content_type, body, visible_at) VALUES (?, ?, ?, ?, ?)",
        id,
        sentAt,
        contentType,
        body,
        now + delayMs,
      );
    }
    await this.wake();
    return this.backlog();
  }

  backlog(): QueueBacklog {
    const { count, bytes } = this.#sql
      .exec<{ count: number; bytes: number }>(
        "SELECT count(*) AS count, coalesce(sum(length(body)), 0) AS bytes FROM messages",
      )
      .one();
    return { backlogCount: count, backlogBytes: bytes };
  }

  /** Makes sure that the next delivery is due when it should be. */
  async wake(): Promise<void> {
    const consumer = this.#consumer();
    if (consumer === null) return;
    const due = this.#nextDelivery(consumer.layout);
    if (due === null) return;
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > due) await this.ctx.storage.setAlarm(due);
  }

  override async alarm(): Promise<void> {
    try {
      await this.#deliver();
      await this.wake();
    } catch (error) {
      // An alarm that throws is given up after some attempts; a queue is not.
      log("error", "queue_delivery_failed", { error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + FAILED_DELIVERY_PAUSE_MS);
    }
  }

  async #deliver(): Promise<void> {
    const consumer = this.#consumer();
    if (consumer === null) return;
    const due = this.#nextDelivery(consumer.layout);
    if (due === null || due > Date.now()) return;
    const batch = this.#nextBatch(consumer.layout.batchSize);
    const result = await this.#call(consumer, batch);
    for (const message of batch) await this.#settle(consumer, message, result);
  }

  async #call(consumer: Consumer, batch: readonly StoredMessage[]): Promise<QueueResult | null> {
    const messages = batch.map(({ id, sent_at, content_type, body, attempts }) => ({
      id,
      timestamp: new Date(sent_at),
      attempts: attempts + 1,
      ...deliveredBody(content_type, body),
    }));
    try {
      const worker = workerHandlers(this.env, consumer.layout.worker);
      return await worker.queue(consumer.queue, messages, { metrics: this.backlog() });
    } catch (error) {
      log("error", "queue_consumer_failed", {
        queue: consumer.queue,
        messages: batch.length,
        error: String(error),
      });
      return null;
    }
  }

  async #settle(
    { queue, layout }: Consumer,
    message: StoredMessage,
    result: QueueResult | null,
  ): Promise<void> {
    const attempts = message.attempts + 1;
    const fate = fateOf(message.id, attempts, result, layout);
    if (fate.kind === "retry") {
      this.#sql.exec(
        "UPDATE messages SET attempts = ?, visible_at = ? WHERE id = ?",
        attempts,
        Date.now() + fate.delayMs,
        message.id,
      );
      return;
    }
    if (fate.kind === "dead") await this.#bury(queue, layout.deadLetterQueue, message);
    this.#sql.exec("DELETE FROM messages WHERE id = ?", message.id);
  }

  async #bury(queue: string, deadLetterQueue: string | null, message: StoredMessage): Promise<void> {
    log("warn", "queue_message_dead", {
      queue,
      deadLetterQueue,
      message: message.id,
      attempts: message.attempts + 1,
    });
    if (deadLetterQueue === null) return;
    await this.env.QUEUE_STORE.getByName(deadLetterQueue).enqueue(deadLetterQueue, [
      {
        id: message.id,
        sentAt: message.sent_at,
        contentType: message.content_type,
        body: message.body,
        delayMs: 0,
      },
    ]);
  }

  /** When the next batch goes out: as soon as it is full, or when its oldest message has waited long enough. */
  #nextDelivery({ batchSize, batchTimeoutMs }: QueueLayout): number | null {
    const [oldest] = this.#sql
      .exec<{ visible_at: number }>("SELECT visible_at FROM messages ORDER BY visible_at, position LIMIT 1")
      .toArray();
    if (oldest === undefined) return null;
    const now = Date.now();
    const { count } = this.#sql
      .exec<{ count: number }>(
        "SELECT count(*) AS count FROM (SELECT 1 FROM messages WHERE visible_at <= ? LIMIT ?)",
        now,
        batchSize,
      )
      .one();
    return count >= batchSize ? now : oldest.visible_at + batchTimeoutMs;
  }

  #nextBatch(batchSize: number): StoredMessage[] {
    const visible = this.#sql
      .exec<StoredMessage>(
        `SELECT id, sent_at, content_type, body, attempts FROM messages
         WHERE visible_at <= ? ORDER BY visible_at, position LIMIT ?`,
        Date.now(),
        batchSize,
      )
      .toArray();
    let bytes = 0;
    const tooMany = visible.findIndex(({ body }) => (bytes += body.byteLength) > MAX_BATCH_BYTES);
    return tooMany === -1 ? visible : visible.slice(0, Math.max(tooMany, 1));
  }

  #consumer(): Consumer | null {
    const queue = this.ctx.storage.kv.get<string>("queue");
    if (queue === undefined) return null;
    const layout = readLayout(this.env).queues[queue];
    return layout === undefined ? null : { queue, layout };
  }
}

interface Consumer {
  readonly queue: string;
  readonly layout: QueueLayout;
}
