import { encodeAuditBatches } from "@relaykey/core/audit-event";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { describeError, log } from "@relaykey/core/log";

/** How long events are gathered before they leave as one message. */
const WINDOW_MS = 50;
/** Waits before the second, third, … attempt to hand a message to the queue. */
const RETRY_MS = [100, 500, 2_000, 5_000] as const;

/**
 * Hands audit events to the queue, group-committed: the events of all requests within a window share one message.
 * An event is accepted when the queue has it; each request's `waitUntil` waits for its own.
 */
export class AuditSink {
  readonly #queue: Queue<string>;
  #pending: AuditEvent[] = [];
  #flush: Promise<void> | null = null;

  constructor(queue: Queue<string>) {
    this.#queue = queue;
  }

  /** Resolves when the event is accepted. Never rejects: an event that the queue refuses to take is logged whole. */
  record(event: AuditEvent): Promise<void> {
    this.#pending.push(event);
    this.#flush ??= this.#flushSoon();
    return this.#flush;
  }

  async #flushSoon(): Promise<void> {
    await scheduler.wait(WINDOW_MS);
    const events = this.#pending;
    this.#pending = [];
    this.#flush = null;
    await Promise.all(encodeAuditBatches(events).map((message) => this.#send(message)));
  }

  async #send(message: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#queue.send(message, { contentType: "text" });
        return;
      } catch (error) {
        const pause = RETRY_MS[attempt];
        if (pause === undefined) {
          log("error", "audit_queue_unavailable", { error: describeError(error), message });
          return;
        }
        await scheduler.wait(pause);
      }
    }
  }
}
