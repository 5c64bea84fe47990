import { describeError, log } from "@relaykey/core/log";
import type { NetworkStore, StoredMessage } from "./network-store.ts";

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 5 * 60_000;

/**
 * Brings stored messages to their queues. A message is gone when its queue has accepted it; after a crash in between it is
 * sent again, and says itself that it is the same. One that is refused is tried again, later and later, for ever.
 *
 * @param send hands a message to its queue; rejects when that did not take it.
 */
export async function deliver(
  store: NetworkStore,
  send: (queue: StoredMessage["queue"], body: string) => Promise<unknown>,
  now: () => number,
): Promise<void> {
  for (const message of store.messages()) {
    if (message.due > now()) continue;
    try {
      await send(message.queue, message.body);
      store.removeMessage(message.id);
    } catch (error) {
      log("warn", "holder_message_refused", { queue: message.queue, error: describeError(error) });
      const attempts = message.attempts + 1;
      store.putMessage({ ...message, attempts, due: now() + pauseBefore(attempts) });
    }
  }
}

/** ms until what has failed so many times is tried again: doubles from one second up to five minutes. */
export function pauseBefore(failures: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16));
}
