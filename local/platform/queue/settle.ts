import type { QueueResult } from "../config.ts";
import type { QueueLayout } from "../layout.ts";

/** What becomes of one delivered message. */
export type Fate = { kind: "ack" } | { kind: "retry"; delayMs: number } | { kind: "dead" };

/**
 * Reads a consumer's answer the way Cloudflare Queues does: what was said of one message outweighs what was said of the
 * batch, and a handler that failed means "again" for all that it did not acknowledge. `null` is a consumer that could
 * not be called at all.
 *
 * @param attempts deliveries of this message so far, this one included.
 */
export function fateOf(
  messageId: string,
  attempts: number,
  result: QueueResult | null,
  queue: Pick<QueueLayout, "maxRetries" | "retryDelayMs">,
): Fate {
  const retry = result?.retryMessages.find(({ msgId }) => msgId === messageId);
  if (result !== null && retry === undefined) {
    if (result.explicitAcks.includes(messageId)) return { kind: "ack" };
    // `ackAll()` holds whether or not the handler fails afterwards.
    if (result.ackAll || (result.outcome === "ok" && !result.retryBatch.retry)) return { kind: "ack" };
  }
  if (attempts > queue.maxRetries) return { kind: "dead" };
  const delaySeconds = retry?.delaySeconds ?? result?.retryBatch.delaySeconds;
  return { kind: "retry", delayMs: delaySeconds === undefined ? queue.retryDelayMs : delaySeconds * 1_000 };
}
