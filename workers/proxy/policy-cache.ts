import type { KeyRef } from "@relaykey/core/rpc";
import { policyCacheKey } from "./directory.ts";
import { holderStub } from "./holders.ts";

/** Changes that may overtake one copy before the caller has to ask again. */
const MAX_COPIES = 5;

/**
 * Copies what the object holds into KV, and looks again: of two copies under way at once the older may land last, so
 * each is followed by a look that would see the newer. Keys that are enforced at the edge live by this copy.
 */
export async function copyPolicy(env: Env, ref: KeyRef): Promise<void> {
  const key = policyCacheKey(ref.tokenHash);
  const holder = holderStub(env, ref.holderLocator);
  let current = await holder.snapshot(ref.keyId);
  for (let attempt = 0; attempt < MAX_COPIES; attempt += 1) {
    await (current === null ? env.POLICY.delete(key) : env.POLICY.put(key, current));
    const newest = await holder.snapshot(ref.keyId);
    if (newest === current) return;
    current = newest;
  }
  throw new Error("The policy changed faster than it could be copied.");
}
