import type { CliContext } from "./context.ts";

/** How far a change of many keys is. */
export interface FanOut {
  readonly state: "enforced" | "pending";
  readonly keys: number;
  readonly pending: number;
}

/** Runs without progress before the command gives up; the retry job goes on by itself. */
const MAX_IDLE_RUNS = 3;

/** Goes on with a change of many keys until all hold it, and says how far it is. */
export async function untilEnforced(context: CliContext, began: FanOut): Promise<FanOut> {
  let enforcement = began;
  const { keys } = began;
  let idle = 0;
  while (enforcement.state === "pending" && idle < MAX_IDLE_RUNS) {
    if (!context.printer.json) {
      context.printer.err(`${String(keys - enforcement.pending)} of ${String(keys)} keys …`);
    }
    const next = (await context.call("POST", "/organization/enforce"))["enforcement"] as FanOut;
    idle = next.pending < enforcement.pending ? 0 : idle + 1;
    enforcement = { ...next, keys };
  }
  return enforcement;
}
