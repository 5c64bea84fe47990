import { newId } from "@relaykey/core/ids";
import { dropExpiredPartitions } from "@relaykey/db/queries/audit";
import { moveToRetention } from "@relaykey/db/queries/retention";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { drain } from "./drain.ts";
import { log } from "./log.ts";
import { watch } from "./watch.ts";

let configured: Dependencies | null = null;

/** Parses the environment once per isolate. */
function dependencies(env: Env): Dependencies {
  return (configured ??= configure(env));
}

export default {
  fetch(request, env): Response {
    const headers = { "RelayKey-Request-Id": newId() };
    try {
      dependencies(env);
    } catch (error) {
      const detail =
        error instanceof ConfigurationError ? error.message : "The Worker could not be configured.";
      return Response.json({ title: "Not configured", status: 503, detail }, { status: 503, headers });
    }
    return new URL(request.url).pathname === "/healthz"
      ? Response.json({ status: "ok" }, { headers })
      : Response.json({ title: "Not found", status: 404 }, { status: 404, headers });
  },

  /** Takes from the queue of events and from its dead-letter queue alike: what is in both must reach the table. */
  async queue(batch, env): Promise<void> {
    const { db, sendNotice } = dependencies(env);
    const { events, ...drained } = await drain(db, batch.messages);
    log(drained.retried === 0 ? "info" : "error", "audit_drained", { queue: batch.queue, ...drained });
    if (events.length === 0) return;
    try {
      await watch(db, events, sendNotice, Date.now());
    } catch (error) {
      // The events are written. What was not noticed now shows in the next ones.
      log("error", "watch_failed", { error: error instanceof Error ? error.name : typeof error });
    }
  },

  async scheduled(controller, env): Promise<void> {
    const { db } = dependencies(env);
    const now = new Date(controller.scheduledTime);
    const moved = await moveToRetention(db, now);
    if (moved.organizations > 0) log("info", "audit_moved", { ...moved });
    const dropped = await dropExpiredPartitions(db, now.toISOString().slice(0, 10));
    log("info", "audit_pruned", { dropped });
  },
} satisfies ExportedHandler<Env>;
