import { isId, newId } from "@relaykey/core/ids";
import type { Limits } from "@relaykey/core/limits";
import type { HolderKind } from "@relaykey/core/snapshot";
import { newLocator } from "@relaykey/core/token";
import { isForeignKeyViolation, isUniqueViolation } from "@relaykey/db/queries/conflicts";
import * as queries from "@relaykey/db/queries/holders";
import type { Holder, HolderChange } from "@relaykey/db/queries/holders";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";
import { unlessStale } from "./stale.ts";

export interface HolderInput {
  readonly name: string;
  readonly kind: HolderKind;
  readonly email: string | null;
  /** Over all of its keys. */
  readonly limits: Limits;
}

/** Absent = as it is. Of the limits only the named ones change. */
export type HolderUpdate = Omit<HolderChange, "limits" | "mailState" | "mailStateAt"> & {
  readonly limits?: Partial<Limits>;
};

export async function createHolder(
  deps: ServiceDependencies,
  caller: Caller,
  input: HolderInput,
): Promise<Outcome<Holder>> {
  const allowed = authorize(caller, "holder.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  if (input.kind === "person" && input.email === null) return personNeedsEmail();
  const id = newId();
  try {
    const holder = await queries.createHolder(
      deps.db,
      { id, organizationId, ...input, locator: newLocator() },
      await creationEvent(caller, "holder.created", { kind: "holder", id }, { after: { ...input } }),
    );
    return ok(holder);
  } catch (error) {
    return nameTaken(error, input.name);
  }
}

export async function listHolders(
  deps: ServiceDependencies,
  caller: Caller,
  page: PageRequest,
): Promise<Outcome<Page<Holder>>> {
  const allowed = authorize(caller, "holder.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listHolders(deps.db, caller.organizationId, {
    limit: page.limit + 1,
    after: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

/** @param reference an id or a name. */
export async function showHolder(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<Holder>> {
  const allowed = authorize(caller, "holder.read");
  if (!allowed.ok) return allowed;
  return findHolder(deps, caller, reference);
}

/** For services that have authorized an action of their own. */
export async function findHolder(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<Holder>> {
  const which = isId(reference) ? { id: reference } : { name: reference };
  const holder = await queries.findHolder(deps.db, caller.organizationId, which);
  return holder === null ? fail("not_found") : ok(holder);
}

/**
 * Changes a holder, and with it the policy of each of its keys.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function changeHolder(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  update: HolderUpdate,
  expected: number | null = null,
): Promise<Outcome<{ readonly holder: Holder; readonly enforcement: FanOut }>> {
  const allowed = authorize(caller, "holder.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const found = await findHolder(deps, caller, reference);
  if (!found.ok) return found;
  const { limits, ...settings } = update;
  const change: HolderChange = {
    ...settings,
    ...(limits === undefined ? {} : { limits: { ...found.value.limits, ...limits } }),
    // What became of mail to the former address says nothing of the new one.
    ...(settings.email === undefined || settings.email === found.value.email
      ? {}
      : { mailState: "ok", mailStateAt: null }),
  };
  const after = { ...found.value, ...change };
  if (after.kind === "person" && after.email === null) return personNeedsEmail();
  const subjectId = found.value.id;
  const event = adminEvent(
    caller,
    "holder.changed",
    { kind: "holder", id: subjectId },
    changedFacts(found.value, change),
  );
  try {
    return await unlessStale(async () => {
      const changed = await queries.changeHolder(deps.db, organizationId, subjectId, change, event, expected);
      if (changed === null) return fail("not_found");
      const enforcement = await enforceKeys(deps, organizationId, changed.keyIds);
      return ok({ holder: changed.holder, enforcement });
    });
  } catch (error) {
    return nameTaken(error, after.name);
  }
}

/** Refuses every key of a holder until an admin ends that. Doing it again changes nothing but brings what is pending on. */
export async function freezeHolder(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  frozen: boolean,
): Promise<Outcome<{ readonly holder: Holder; readonly enforcement: FanOut }>> {
  const allowed = authorize(caller, "holder.change");
  if (!allowed.ok) return allowed;
  const found = await findHolder(deps, caller, reference);
  if (!found.ok) return found;
  const { id, frozen: was } = found.value;
  const event = adminEvent(
    caller,
    frozen ? "holder.frozen" : "holder.unfrozen",
    { kind: "holder", id },
    { before: { frozen: was }, after: { frozen } },
  );
  const changed = await queries.changeHolder(deps.db, caller.organizationId, id, { frozen }, event, null);
  if (changed === null) return fail("not_found");
  const enforcement = await enforceKeys(deps, caller.organizationId, changed.keyIds);
  return ok({ holder: changed.holder, enforcement });
}

/**
 * Deletes a holder that was never issued a key.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function deleteHolder(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  expected: number | null = null,
): Promise<Outcome<null>> {
  const allowed = authorize(caller, "holder.change");
  if (!allowed.ok) return allowed;
  const found = await findHolder(deps, caller, reference);
  if (!found.ok) return found;
  const { id, name, kind, email } = found.value;
  const event = adminEvent(
    caller,
    "holder.deleted",
    { kind: "holder", id },
    { before: { name, kind, email } },
  );
  try {
    return await unlessStale(async () => {
      const deleted = await queries.deleteHolder(deps.db, caller.organizationId, id, event, expected);
      return deleted ? ok(null) : fail("not_found");
    });
  } catch (error) {
    if (!isForeignKeyViolation(error, queries.KEY_HOLDER)) throw error;
    return fail("in_use", {
      detail: "Keys were issued to it, and the audit log names it: freeze it instead.",
    });
  }
}

function nameTaken(error: unknown, name: string) {
  if (!isUniqueViolation(error, queries.HOLDER_NAME_INDEX)) throw error;
  return fail("name_taken", { detail: `A holder named "${name}" exists already: choose another name.` });
}

function personNeedsEmail() {
  return invalid("email", "A person needs an e-mail address, at which new IP addresses are confirmed.");
}
