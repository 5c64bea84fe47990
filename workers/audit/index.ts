import { newId } from "@relaykey/core/ids";
import { dropExpiredPartitions } from "@relaykey/db/queries/audit";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { drain } from "./drain.ts";
import { log } from "./log.ts";

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
    const drained = await drain(dependencies(env).db, batch.messages);
    log(drained.retried === 0 ? "info" : "error", "audit_drained", { queue: batch.queue, ...drained });
  },

  async scheduled(controller, env): Promise<void> {
    const today = new Date(controller.scheduledTime).toISOString().slice(0, 10);
    const dropped = await dropExpiredPartitions(dependencies(env).db, today);
    log("info", "audit_pruned", { dropped });
  },
} satisfies ExportedHandler<Env>;
