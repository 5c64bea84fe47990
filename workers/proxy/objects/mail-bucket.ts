/** How many mails, or refusals of mails, may come at once and how soon the next. */
export interface BucketPolicy {
  readonly burst: number;
  readonly refillMs: number;
}

/** `tokens` as of the moment `at` (epoch ms). */
export interface BucketState {
  readonly tokens: number;
  readonly at: number;
}

/** Takes one. @returns null when there is none. */
export function take(policy: BucketPolicy, state: BucketState | null, now: number): BucketState | null {
  const filled = fill(policy, state, now);
  return filled.tokens < 1 ? null : { ...filled, tokens: filled.tokens - 1 };
}

/** ms until one can be taken. */
export function untilNext(policy: BucketPolicy, state: BucketState | null, now: number): number {
  const { tokens } = fill(policy, state, now);
  return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * policy.refillMs);
}

function fill({ burst, refillMs }: BucketPolicy, state: BucketState | null, now: number): BucketState {
  if (state === null) return { tokens: burst, at: now };
  // A clock that stepped back fills nothing.
  const passed = Math.max(0, now - state.at);
  return { tokens: Math.min(burst, state.tokens + passed / refillMs), at: now };
}
