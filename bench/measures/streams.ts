import type { Target } from "../targets/targets.ts";
import { median, residentMiB } from "./load.ts";

const PROBES = 5;
const GIB = 1_024 ** 3;

/** Median ms from the call to the first event of a stream whose second event comes a second later. */
export async function firstEventMs(target: Target): Promise<number> {
  const times: number[] = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    const began = performance.now();
    const response = await fetch(`${target.url}/v1/stream`, { headers: target.headers });
    if (!response.ok || response.body === null) throw new Error(`status ${String(response.status)}`);
    const reader = response.body.getReader();
    await reader.read();
    times.push(performance.now() - began);
    await reader.cancel();
  }
  return median(times);
}

/** How 1 GiB came through: MiB per second, and how much the process grew meanwhile, in MiB. */
export async function gibibyte(target: Target): Promise<{ perSecond: number; growth: number }> {
  const before = residentMiB(target.pid());
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, residentMiB(target.pid()))), 50);
  const began = performance.now();
  try {
    const response = await fetch(`${target.url}/v1/bytes?n=${String(GIB)}`, { headers: target.headers });
    let bytes = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
    if (bytes !== GIB) throw new Error(`${String(bytes)} bytes of ${String(GIB)} arrived`);
  } finally {
    clearInterval(timer);
  }
  const seconds = (performance.now() - began) / 1_000;
  return { perSecond: GIB / 1_024 ** 2 / seconds, growth: peak - before };
}
