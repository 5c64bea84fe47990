/**
 * The platform Worker as it is, but for time: `POST /turn?seconds=N` sets its clock forward, and its cron clock rings at
 * once instead of at the end of the minute. `GET /next-ring` says when that rings again.
 */
import platform, { CronClock as RealCronClock } from "../index.ts";

export * from "../index.ts";

const realNow = Date.now.bind(Date);
let turnedMs = 0;
Date.now = () => realNow() + turnedMs;

export class CronClock extends RealCronClock {
  override async start(): Promise<void> {
    await super.start();
    if ((await this.ctx.storage.get("rung")) === undefined) {
      await this.ctx.storage.put("rung", await this.nextRing());
      await this.ctx.storage.setAlarm(realNow());
    }
  }

  nextRing(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }

  async firstRing(): Promise<number | null> {
    return (await this.ctx.storage.get<number>("rung")) ?? null;
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/turn") {
      turnedMs += Number(searchParams.get("seconds")) * 1_000;
      return new Response(null);
    }
    if (pathname === "/next-ring") {
      const clock = env.CRON_CLOCK.getByName("clock") as DurableObjectStub<CronClock>;
      return Response.json({ first: await clock.firstRing(), next: await clock.nextRing() });
    }
    return platform.fetch(request, env);
  },
} satisfies ExportedHandler<Env>;
