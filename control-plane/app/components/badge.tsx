import { BLOCK_REASONS, isBlockReason } from "@relaykey/core/block-reasons";
import type { ReactNode } from "react";

const TONES = {
  good: "bg-good-soft text-good",
  bad: "bg-bad-soft text-bad",
  waiting: "bg-waiting-soft text-waiting",
  quiet: "bg-quiet-soft text-quiet",
  accent: "bg-accent-soft text-accent",
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

/** Why a request was blocked, in the words of the table of block reasons. */
export function reasonTitle(reason: string): string {
  return isBlockReason(reason) ? BLOCK_REASONS[reason].title : reason;
}
