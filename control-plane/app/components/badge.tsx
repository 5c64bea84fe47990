import type { ReactNode } from "react";

const TONES = {
  good: "bg-emerald-100 text-emerald-900 dark:bg-emerald-950 dark:text-emerald-200",
  bad: "bg-rose-100 text-rose-900 dark:bg-rose-950 dark:text-rose-200",
  waiting: "bg-amber-100 text-amber-900 dark:bg-amber-950 dark:text-amber-200",
  quiet: "bg-slate-200 text-slate-800 dark:bg-slate-800 dark:text-slate-200",
} as const;

export type Tone = keyof typeof TONES;

/** A state in a word. The word says it; the colour only helps. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span
      className={`inline-block rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}
