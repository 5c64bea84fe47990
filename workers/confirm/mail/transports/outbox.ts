import type { OutboxApi } from "@relaykey/core/mail";
import { SENT, failed } from "./transport.ts";
import type { Transport } from "./transport.ts";

/** The local edition's: mail ends in the outbox, which keeps one of each id. */
export function outboxTransport(outbox: OutboxApi): Transport {
  return {
    async send(mail) {
      try {
        await outbox.deliver(mail);
        return SENT;
      } catch {
        return failed("outbox_unreachable");
      }
    },
  };
}
