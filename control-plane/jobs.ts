import { deleteExpired } from "@relaykey/db/queries/housekeeping";
import { destroyRetiredSecrets } from "@relaykey/db/queries/vendor-keys";
import type { Dependencies } from "./config.ts";
import { describeError } from "@relaykey/core/log";
import { deleteDueOrganizations } from "./service/deletion.ts";
import { retryOpenChanges } from "./service/enforcement.ts";
import { noticeExpiringKeys } from "./service/notices/expiring.ts";
import { rewrapDue } from "./service/rewrap.ts";
import { sendAlerts } from "./service/notices/send-alerts.ts";
import { deliverWebhooks } from "./service/webhooks/deliver.ts";

interface Job {
  readonly name: string;
  /** @returns what there is to say of the run; null: nothing happened. */
  readonly run: (deps: Dependencies) => Promise<Record<string, unknown> | null>;
}

const ALERTS: Job = {
  name: "alerts_sent",
  run: async (deps) => some("alerts", await sendAlerts(deps)),
};

const WEBHOOKS: Job = {
  name: "webhooks_delivered",
  run: async (deps) => {
    const run = await deliverWebhooks(deps);
    return run.delivered + run.failed === 0 ? null : { ...run };
  },
};

/** What is done each minute. */
const JOBS: readonly Job[] = [
  {
    // Tries again what the data plane has not confirmed.
    name: "outbox_retried",
    run: async (deps) => {
      const result = await retryOpenChanges(deps);
      return result.keys === 0 ? null : { ...result };
    },
  },
  {
    // Destroys vendor keys that can no longer be restored.
    name: "vendor_keys_destroyed",
    run: async (deps) => some("destroyed", await destroyRetiredSecrets(deps.db, new Date(deps.now()))),
  },
  {
    // Vendor keys that are sealed for keys which are not, or no longer, set.
    name: "vendor_keys_rewrapped",
    run: async (deps) => {
      const result = await rewrapDue(deps);
      return result.rewrapped + result.failed === 0 ? null : { ...result };
    },
  },
  {
    // Organizations whose time has come.
    name: "organizations_deleted",
    run: async (deps) => some("deleted", await deleteDueOrganizations(deps)),
  },
  {
    // Sessions, links, challenges, counters and events of Stripe that prove nothing any more.
    name: "expired_cleared",
    run: async (deps) => {
      await deleteExpired(deps.db, new Date(deps.now()));
      return null;
    },
  },
  { name: "expiring_noticed", run: async (deps) => some("keys", await noticeExpiringKeys(deps)) },
  ALERTS,
  WEBHOOKS,
];

/** Runs each job; one that fails keeps no other from running. */
export async function runJobs(deps: Dependencies): Promise<void> {
  for (const job of JOBS) await attempt(deps, job);
}

/** Sends what waits for admins and webhooks, right after what caused it. */
export async function tellOutside(deps: Dependencies): Promise<void> {
  await Promise.all([attempt(deps, ALERTS), attempt(deps, WEBHOOKS)]);
}

async function attempt(deps: Dependencies, { name, run }: Job): Promise<void> {
  try {
    const result = await run(deps);
    if (result !== null) deps.log("info", name, result);
  } catch (error) {
    deps.log("error", "job_failed", { job: name, error: describeError(error) });
  }
}

function some(name: string, count: number): Record<string, number> | null {
  return count === 0 ? null : { [name]: count };
}
