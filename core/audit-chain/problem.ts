/** What can be wrong with a chain, and what it means in a sentence. `#` stands for the batch's number. */
export const CHAIN_CHECKS = {
  signature_wrong: "Batch # is not what was signed: it was altered.",
  key_unknown: "Batch # is signed by a key that is not among those of this installation.",
  link_broken: "Batch # does not follow the batch before it: one of them was replaced.",
  batch_missing: "Batch # is missing: it was removed.",
  chain_shortened: "The chain ends before batch #, which it had reached: its end was removed.",
  leaves_altered: "What is kept to check batch # does not fit it: it was altered.",
  event_altered: "An event of batch # is not what was recorded: it was altered.",
  event_moved: "An event of batch # stands in the place of another one.",
  event_missing: "An event of batch # is missing before its time: it was removed.",
  event_added: "Batch # has an event that was not recorded with it: it was added.",
  event_unchained:
    "An event is in no batch: it was added by other means than RelayKey. The batch before it is #.",
} as const;

export type ChainCheck = keyof typeof CHAIN_CHECKS;

/** One thing that is wrong. */
export interface ChainProblem {
  readonly check: ChainCheck;
  readonly sequence: number;
  /** Of the event, where it is about one that can be named. */
  readonly requestId: string | null;
}

export function isChainCheck(text: string): text is ChainCheck {
  return Object.hasOwn(CHAIN_CHECKS, text);
}

/** What is wrong, in a sentence. */
export function describeProblem({ check, sequence, requestId }: ChainProblem): string {
  const sentence = CHAIN_CHECKS[check].replace("#", String(sequence));
  return requestId === null ? sentence : `${sentence} Request ${requestId}.`;
}
