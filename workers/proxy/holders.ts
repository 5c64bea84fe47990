import type { KeyHolder } from "./objects/key-holder.ts";

/** The object of the key holder with this locator (16 hex digits, from the token): nothing else names it. */
export function holderStub(env: Env, locator: string): DurableObjectStub<KeyHolder> {
  // The generated Env cannot name the class without importing the Worker's entry into every file.
  const namespace = env.KEY_HOLDER as unknown as DurableObjectNamespace<KeyHolder>;
  return namespace.get(namespace.idFromName(locator));
}
