import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { wrkScript } from "../targets/call.ts";
import type { Target } from "../targets/targets.ts";

/** What one round of load showed. Latencies in ms. */
export interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly requests: number;
  readonly failed: number;
  /** CPU time of the target's process during the round, in seconds. */
  readonly cpuSeconds: number;
}

/** Ticks of /proc/PID/stat per second (sysconf(_SC_CLK_TCK), 100 on Linux). */
const TICKS_PER_SECOND = 100;

/** Sends the target's call over `connections` connections, each as fast as answers come (wrk, closed loop). */
export async function load(target: Target, connections: number, seconds: number): Promise<Round> {
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const folder = mkdtempSync(join(tmpdir(), "relaykey-wrk-"));
  const script = wrkScript(target.call);
  if (script !== null) writeFileSync(join(folder, "call.lua"), script);
  const before = cpuSeconds(target.pid());
  const { stdout } = await promisify(execFile)("wrk", [
    "-t1",
    `-c${String(connections)}`,
    `-d${String(seconds)}s`,
    "--latency",
    ...headers,
    ...(script === null ? [] : ["-s", join(folder, "call.lua")]),
    `${target.url}${target.call.path}`,
  ])
    .catch((error: unknown) => {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      throw new Error(
        missing ? "The benchmark sends its load with wrk: install it (Debian: wrk)." : String(error),
      );
    })
    .finally(() => {
      rmSync(folder, { recursive: true, force: true });
    });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0),
    p50: latency(stdout, "50%"),
    p99: latency(stdout, "99%"),
    requests,
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0) + socketErrors(stdout),
    cpuSeconds: cpuSeconds(target.pid()) - before,
  };
}

/** Connections that were refused or broken off, and requests without an answer in time. */
function socketErrors(text: string): number {
  const counts =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

function latency(text: string, percentile: string): number {
  const match = new RegExp(`${percentile}\\s+([\\d.]+)(us|ms|s)`).exec(text);
  const value = Number(match?.[1] ?? NaN);
  return match?.[2] === "us" ? value / 1_000 : match?.[2] === "s" ? value * 1_000 : value;
}

/** User and system time of a process so far. */
export function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .split(") ")[1]
      ?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0) / 1_024;
}

/** The middle value; of an even number the lower middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The smallest value that at least this share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
