/**
 * How a key's policy is enforced. `lease`: the holder's object is asked, and a change is in force everywhere when it is
 * reported. `edge`: the cached snapshot alone decides, and a change is in force everywhere after EDGE_BOUND_SECONDS.
 */
export const ENFORCEMENTS = ["lease", "edge"] as const;
export type EnforcementMode = (typeof ENFORCEMENTS)[number];

/** How long an isolate uses a snapshot of an `edge` key from its memory before it reads the cache again. */
export const EDGE_MEMORY_SECONDS = 30;
/** How long Workers KV may go on serving a value that was overwritten (developers.cloudflare.com/kv/concepts/how-kv-works). */
const KV_STALENESS_SECONDS = 60;
/** After this many seconds no request starts under an older policy of an `edge` key. */
export const EDGE_BOUND_SECONDS = EDGE_MEMORY_SECONDS + KV_STALENESS_SECONDS;
