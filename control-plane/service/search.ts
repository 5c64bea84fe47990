import { findByName, listKeyNames } from "@relaykey/db/queries/search";
import type { NamedThing } from "@relaykey/db/queries/search";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

const MAX_OF_EACH_KIND = 6;
/** Keys offered in a list to choose from; others are found by their pages. */
const MAX_CHOICES = 100;

/** Keys, holders and integrations that have a text in their name. */
export async function searchNames(
  deps: ServiceDependencies,
  caller: Caller,
  text: string,
): Promise<Outcome<readonly NamedThing[]>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  return ok(await findByName(deps.db, caller.organizationId, text, MAX_OF_EACH_KIND));
}

/** The newest keys, to choose from in a filter. */
export async function showKeyNames(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<Awaited<ReturnType<typeof listKeyNames>>>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  return ok(await listKeyNames(deps.db, caller.organizationId, MAX_CHOICES));
}
