import { query } from "../client.ts";
import type { Json } from "../client.ts";
import type { CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { cell } from "../output.ts";
import { sleep } from "../sleep.ts";
import { AUDIT_COLUMNS } from "./columns.ts";

const INTERVAL_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Events reach the log seconds after they happened, and not in order: so far back is looked each time. */
const WINDOW_MS = 60_000;
const PAGE = "200";

/** Prints events as they arrive, oldest first, each once. Goes on through outages, and ends with Ctrl-C. */
export async function tail(
  context: CliContext,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const began = Date.now();
  const stop = new AbortController();
  process.once("SIGINT", () => {
    stop.abort();
  });
  let seen = new Map<string, number>();
  let pause = INTERVAL_MS;
  /** When the log was last read: what happens during an outage is looked up after it. */
  let readAt = began;
  while (!stop.signal.aborted) {
    try {
      const from = Math.max(began, readAt - WINDOW_MS);
      const now = Date.now();
      const fresh = await newEvents(context, { ...filter, from: new Date(from).toISOString() }, seen);
      for (const event of fresh.reverse()) print(context, event);
      seen = new Map([...seen].filter(([, at]) => at >= from - WINDOW_MS));
      pause = INTERVAL_MS;
      readAt = now;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
      context.printer.err(`rk: ${error.message} Trying again in ${String(pause / 1_000)} s.`);
    }
    await sleep(pause, stop.signal);
  }
}

/** Newest first, those only that were not printed yet. */
async function newEvents(
  context: CliContext,
  filter: Readonly<Record<string, string | undefined>>,
  seen: Map<string, number>,
): Promise<Json[]> {
  const fresh: Json[] = [];
  let cursor: string | undefined;
  do {
    const answer = await context.call("GET", `/audit-events${query({ ...filter, limit: PAGE, cursor })}`);
    for (const event of answer["data"] as readonly Json[]) {
      const id = String(event["request_id"]);
      if (seen.has(id)) continue;
      seen.set(id, Date.parse(String(event["at"])));
      fresh.push(event);
    }
    cursor = typeof answer["next_cursor"] === "string" ? answer["next_cursor"] : undefined;
  } while (cursor !== undefined);
  return fresh;
}

function print({ printer }: CliContext, event: Json): void {
  if (printer.json) printer.out(JSON.stringify(event));
  else printer.out(AUDIT_COLUMNS.map(([, show]) => cell(show(event))).join("  "));
}
