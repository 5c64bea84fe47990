import { isStale } from "@relaykey/db/queries/revisions";
import { fail } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** Makes a change; when what it changes has moved on from the revision that the caller read, nothing was changed. */
export async function unlessStale<T>(change: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await change();
  } catch (error) {
    if (isStale(error)) return fail("precondition_failed");
    throw error;
  }
}
