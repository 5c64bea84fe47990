import { newId } from "@relaykey/core/ids";
import { dropExpiredPartitions } from "@relaykey/db/queries/audit";
import { noteShortening } from "@relaykey/db/queries/audit-append";
import { dropExpiredLeaves } from "@relaykey/db/queries/audit-chain";
import { moveToRetention } from "@relaykey/db/queries/retention";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { drain } from "./drain.ts";
import { log } from "@relaykey/core/log";
import { verifyChains } from "./verify-chains.ts";
import { watch } from "./watch.ts";

/** As in wrangler.toml; the other one is for pruning. */
const VERIFY_CRON = "* * * * *";

let configured: Promise<Dependencies> | null = null;

/** Parses the environment once per isolate. */
function dependencies(env: Env): Promise<Dependencies> {
  return (configured ??= configure(env));
}

export default {
  async fetch(request, env): Promise<Response> {
    const headers = { "RelayKey-Request-Id": newId() };
    try {
      await dependencies(env);
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
    const { db, signer, sendNotice } = await dependencies(env);
    const { events, ...drained } = await drain(db, signer, batch.messages, Date.now());
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
    const deps = await dependencies(env);
    if (controller.cron === VERIFY_CRON) await verify(deps);
    else await prune(deps, new Date(controller.scheduledTime));
  },
} satisfies ExportedHandler<Env>;

/** Takes away what has expired. */
async function prune({ db, signer }: Dependencies, now: Date): Promise<void> {
  const today = now.toISOString().slice(0, 10);
  const moved = await moveToRetention(db, now, (organizationId, retentionDays) =>
    noteShortening(db, signer, { organizationId, retentionDays, now: now.getTime() }),
  );
  if (moved.organizations > 0) log("info", "audit_moved", { ...moved });
  const dropped = await dropExpiredPartitions(db, today);
  await dropExpiredLeaves(db, today);
  log("info", "audit_pruned", { dropped });
}

async function verify({ db, chainKeys, sendNotice }: Dependencies): Promise<void> {
  const verification = await verifyChains(db, chainKeys, sendNotice, Date.now);
  log(verification.broken === 0 ? "info" : "error", "audit_chains_verified", { ...verification });
}
