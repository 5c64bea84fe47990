import { DurableObject } from "cloudflare:workers";
import { readLayout, workerHandlers } from "../config.ts";
import { log } from "@relaykey/core/log";
import { parseCron } from "./expression.ts";

const MINUTE_MS = 60_000;

/** Calls the Workers' `scheduled()` at the minutes that their cron triggers name. Missed minutes are not caught up. */
export class CronClock extends DurableObject<Env> {
  /** Starts the clock, or leaves it running. */
  async start(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(nextMinute(Date.now()));
  }

  override async alarm(): Promise<void> {
    const minute = new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS);
    await this.ctx.storage.setAlarm(nextMinute(minute.getTime()));
    const due = readLayout(this.env).crons.filter(({ expression }) => parseCron(expression).matches(minute));
    await Promise.all(due.map(({ worker, expression }) => this.#call(worker, expression, minute)));
  }

  async #call(worker: string, cron: string, scheduledTime: Date): Promise<void> {
    try {
      const { outcome } = await workerHandlers(this.env, worker).scheduled({ cron, scheduledTime });
      if (outcome !== "ok") log("error", "cron_failed", { worker, cron, outcome });
    } catch (error) {
      log("error", "cron_failed", { worker, cron, error: String(error) });
    }
  }
}

function nextMinute(now: number): number {
  return (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
}
