import { createContext, useContext } from "react";

/** The moment (epoch ms) at which the page was made: the same on the server and in the browser. */
export const NowContext = createContext(0);

/** A moment as UTC. */
export function Moment({ iso }: { readonly iso: string }) {
  return (
    <time dateTime={iso} className="whitespace-nowrap tabular-nums">
      {absolute(iso)}
    </time>
  );
}

/** How long ago, or in how long; the exact moment is its title. */
export function Ago({ iso }: { readonly iso: string }) {
  const now = useContext(NowContext);
  return (
    <time dateTime={iso} title={`${absolute(iso)} UTC`} className="whitespace-nowrap tabular-nums">
      {relative(Date.parse(iso) - now)}
    </time>
  );
}

export function absolute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

const WORDS = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @param ms from now; the past is negative. */
export function relative(ms: number): string {
  for (const [unit, size] of UNITS) {
    if (Math.abs(ms) >= size) return WORDS.format(Math.trunc(ms / size), unit);
  }
  return ms > 0 ? "in less than a minute" : "just now";
}
