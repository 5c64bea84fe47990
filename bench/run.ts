/**
 * `npm run bench`: RelayKey beside its peers, in one run, on this machine, over loopback. Prints a table, and with
 * `--json FILE` writes the figures. Every figure that counts is a ratio to the bare Worker of the same run.
 * `--rounds 1 --seconds 1 --brief` shows in half a minute whether all that should take part does.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { load, median } from "./measures/load.ts";
import type { Round } from "./measures/load.ts";
import { countOperations, millionRequestsCost } from "./measures/operations.ts";
import { revocationSeconds } from "./measures/revocation.ts";
import { firstEventMs, gibibyte } from "./measures/streams.ts";
import { startField } from "./targets/targets.ts";
import type { Call } from "./targets/call.ts";
import type { Target } from "./targets/targets.ts";

const CONNECTIONS = [1, 32, 128] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    json: { type: "string" },
    brief: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

interface Figures {
  readonly name: string;
  readonly call: Call;
  readonly isBare: boolean;
  readonly load: Readonly<Record<string, { perSecond: number; p50: number; p99: number }>>;
  readonly cpuSecondsPer10k: number;
  firstEventMs: number | null;
  gibibyte: { perSecond: number; growth: number } | null;
}

const field = await startField((line) => {
  console.error(line);
});
try {
  await main();
} finally {
  await field.stop();
}
process.exit();

async function main(): Promise<void> {
  const { targets, stack } = field;
  for (const target of targets) await load(target, 8, 1);
  const measured = new Map<Target, Map<number, Round[]>>(targets.map((target) => [target, new Map()]));
  for (let round = 0; round < rounds; round += 1) {
    console.error(`Round ${String(round + 1)} of ${String(rounds)} …`);
    for (const connections of CONNECTIONS) {
      // Interleaved, so that whatever else the machine does meets all alike.
      for (const target of targets) {
        const of = measured.get(target) ?? new Map<number, Round[]>();
        of.set(connections, [...(of.get(connections) ?? []), await load(target, connections, seconds)]);
      }
    }
  }
  const absent = [...field.absent];
  const figures: Figures[] = [];
  for (const target of targets) {
    const of = measured.get(target) ?? new Map<number, Round[]>();
    const failures = failuresOf([...of.values()].flat());
    // A refusal costs less than an answer: figures that count refusals say nothing.
    if (failures !== null) absent.push(`${target.name}: ${failures}`);
    else figures.push(summarize(target, of));
  }
  if (values.brief) {
    print(figures, absent);
    return;
  }
  for (const one of figures) {
    const target = targets.find(({ name }) => name === one.name);
    // The streams are GETs.
    if (target === undefined || one.call.method !== "GET") continue;
    console.error(`Streams through ${target.name} …`);
    one.firstEventMs = await firstEventMs(target);
    one.gibibyte = await gibibyte(target);
  }
  console.error("Operations of a hot key …");
  const relayKey = targets.find(({ name }) => name === "RelayKey");
  if (relayKey === undefined) throw new Error("RelayKey did not take part.");
  const operations = await countOperations(stack, relayKey);
  console.error("Revocations …");
  const revocation = await revocationSeconds(stack.local);
  print(figures, absent);
  printCosts(operations, revocation);
  if (values.json !== undefined) {
    const cost = millionRequestsCost(operations);
    writeFileSync(
      values.json,
      `${JSON.stringify({ figures, absent, operations, cost, revocation }, null, 2)}\n`,
    );
  }
}

/** Why a target's figures do not count; null when they do. */
function failuresOf(all: readonly Round[]): string | null {
  const requests = all.reduce((sum, round) => sum + round.requests, 0);
  const failed = all.reduce((sum, round) => sum + round.failed, 0);
  if (requests === 0) return "no request was answered";
  return failed === 0 ? null : `${String(failed)} of ${String(requests)} requests failed`;
}

function summarize({ name, call, isBare }: Target, of: ReadonlyMap<number, readonly Round[]>): Figures {
  const middle = (pick: (round: Round) => number, some: readonly Round[]): number => median(some.map(pick));
  const all = [...of.values()].flat();
  return {
    name,
    call,
    isBare: isBare === true,
    load: Object.fromEntries(
      [...of].map(([connections, some]) => [
        String(connections),
        {
          perSecond: middle((round) => round.perSecond, some),
          p50: middle((round) => round.p50, some),
          p99: middle((round) => round.p99, some),
        },
      ]),
    ),
    cpuSecondsPer10k: middle(
      (round) => (round.cpuSeconds / round.requests) * 10_000,
      all.filter(({ requests }) => requests > 0),
    ),
    firstEventMs: null,
    gibibyte: null,
  };
}

function print(figures: readonly Figures[], absent: readonly string[]): void {
  const bareOf = ({ call }: Figures): Figures | undefined =>
    figures.find((other) => other.isBare && other.call === call);
  const rows = figures.map((one) => [
    one.name,
    ...CONNECTIONS.flatMap((connections) => {
      const at = one.load[String(connections)];
      const limit = bareOf(one)?.load[String(connections)];
      if (at === undefined || limit === undefined) return ["-", "-"];
      return [String(Math.round(at.perSecond)), (at.perSecond / limit.perSecond).toFixed(2)];
    }),
    added(one, bareOf(one), "p50"),
    added(one, bareOf(one), "p99"),
    one.cpuSecondsPer10k.toFixed(2),
    one.firstEventMs?.toFixed(1) ?? "-",
    one.gibibyte?.perSecond.toFixed(0) ?? "-",
    one.gibibyte?.growth.toFixed(0) ?? "-",
  ]);
  const heads = [
    "",
    ...CONNECTIONS.flatMap((connections) => [`rps c=${String(connections)}`, "÷ bare"]),
    "+p50 ms c=1",
    "+p99 ms c=1",
    "CPU s/10k",
    "1st event ms",
    "MiB/s",
    "growth MiB",
  ];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [heads, ...rows]) {
    console.log(row.map((text, column) => text.padStart(widths[column] ?? 0)).join("  "));
  }
  for (const line of absent) console.log(`absent           ${line}`);
}

function printCosts(
  operations: Awaited<ReturnType<typeof countOperations>>,
  revocation: { p50: number; p99: number },
): void {
  console.log("");
  for (const [kind, count] of Object.entries(operations.perRequest)) {
    console.log(
      `${kind.padEnd(16)} ${count.toFixed(4)} per request (${String(operations.requests)} requests of one key)`,
    );
  }
  const cost = millionRequestsCost(operations);
  console.log(`list price       $${cost.toFixed(2)} per million requests, without CPU time`);
  console.log(
    `revoke           ${revocation.p50.toFixed(2)} s p50, ${revocation.p99.toFixed(2)} s p99, of keys in use`,
  );
}

function added(one: Figures, bare: Figures | undefined, which: "p50" | "p99"): string {
  const at = one.load["1"]?.[which];
  const limit = bare?.load["1"]?.[which];
  return at === undefined || limit === undefined ? "-" : (at - limit).toFixed(3);
}
