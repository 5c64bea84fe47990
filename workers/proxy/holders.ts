import type { KeyHolder } from "./objects/key-holder.ts";

/** The object of the key holder with this locator (16 hex digits, from the token): nothing else names it. */
export function holderStub(env: Env, locator: string): DurableObjectStub<KeyHolder> {
  return env.KEY_HOLDER.get(env.KEY_HOLDER.idFromName(locator));
}
