import { Admin } from "./admin.ts";
import { PolicyCache } from "./cache.ts";
import { History } from "./history.ts";
import { Isolate } from "./isolate.ts";
import { drawPlan, drawRequest } from "./plan.ts";
import type { Plan, PlannedRequest } from "./plan.ts";
import { ObjectHome } from "./platform.ts";
import { Random } from "./random.ts";
import type { System } from "./system.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Nothing is left to happen long before. */
const END_MS = 200_000;

/** Runs the schedule of one seed. The same seed gives the same history. */
export async function simulate(
  seed: number,
  system: System,
): Promise<{ readonly plan: Plan; readonly history: History }> {
  const random = new Random(seed);
  const plan = drawPlan(random);
  const time = new VirtualTime(random);
  const uninstall = time.install();
  try {
    const history = populate(plan, time, random, system);
    await time.run(END_MS);
    return { plan, history };
  } finally {
    uninstall();
  }
}

function populate(plan: Plan, time: VirtualTime, random: Random, system: System): History {
  const history = new History();
  const home = new ObjectHome(time, random, plan, system.platform, system.makeHolder);
  const cache = new PolicyCache(time, random, plan.cache);
  const serve = (delayMs: number, request: PlannedRequest): void => {
    time.after(delayMs, () => void isolates[request.isolate]?.serve(request));
  };

  // Chance alone seldom meets the two moments that matter, so requests are aimed at them: the end of the last lease that
  // a change waits for, and the return of the change.
  const leasedUntil = new Map<number, number>();
  const aimAt = (isolate: number, endsMs: number): void => {
    const lead = Math.min(endsMs - time.now(), random.ms(0, 20));
    const request = drawRequest(random, isolate);
    serve(endsMs - time.now() - lead, { ...request, workMs: Math.max(0, lead + random.ms(-3, 1)) });
  };
  const onLeased = (isolate: number, endsMs: number): void => {
    leasedUntil.set(isolate, Math.max(leasedUntil.get(isolate) ?? 0, endsMs));
    if (history.changes.some(({ returned }) => returned === null) && random.chance(0.3))
      aimAt(isolate, endsMs);
  };
  const onSent = (): void => {
    for (const [isolate, endsMs] of leasedUntil) if (endsMs > time.now()) aimAt(isolate, endsMs);
  };
  const onReturned = (): void => {
    for (const index of isolates.keys()) serve(random.ms(0, 2), drawRequest(random, index));
  };
  const world = { time, random, history, home, cache, onLeased, onSent, onReturned };
  const isolates = plan.isolateClocks.map((clockMs, index) => new Isolate(index, clockMs, world, system));
  const admin = new Admin(world, plan.limits);

  for (const change of plan.changes) time.after(change.at, () => void admin.change(change));
  for (const restart of plan.restarts) {
    time.after(restart.at, () => {
      history.restarts += 1;
      home.restart(restart);
    });
  }
  for (const request of plan.requests) serve(request.at, request);
  for (const { at, isolate } of plan.forgets) time.after(at, () => isolates[isolate]?.forget());
  return history;
}
