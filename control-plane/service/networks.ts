import { canonicalIp, formatCidr, parseCidr } from "@relaykey/core/ip";
import type { HolderNetworks } from "@relaykey/core/rpc";
import { insertAdminEvent } from "@relaykey/db/queries/admin-events";
import { authorize } from "./authorization.ts";
import type { Action } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { findHolder } from "./holders.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** Wider blocks than these are no network of anybody's. */
const LEAST_BITS = { v4: 8, v6: 16 } as const;

/**
 * From where a holder's keys may be used, and what waits for the holder's word. The holder's object is the system of record:
 * nothing of it is in the database.
 */
export async function showNetworks(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<HolderNetworks>> {
  const locator = await locate(deps, caller, reference, "network.read");
  if (!locator.ok) return locator;
  return ask(deps, () => deps.keyControl.networks(locator.value.locator));
}

/** Trusts an address, or a block, in the holder's stead. Gives the network as lists name it. */
export async function approveNetwork(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  text: string,
): Promise<Outcome<string>> {
  const network = canonicalNetwork(text);
  if (network === null) {
    return invalid(
      "network",
      `"${text}" is not a network: give an address, or a block such as 203.0.113.0/24.`,
    );
  }
  return change(deps, caller, reference, {
    done: "network.approved",
    failed: "network.approval_failed",
    facts: { network },
    call: (locator) => deps.keyControl.approveNetwork(locator, network),
  });
}

/** Stops trusting a network. Answered when no request starts from it any more. */
export async function removeNetwork(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  network: string,
): Promise<Outcome<true>> {
  return change<true>(deps, caller, reference, {
    done: "network.removed",
    failed: "network.removal_failed",
    facts: { network },
    call: (locator) => deps.keyControl.removeNetwork(locator, network),
  });
}

/** Drops a network that waits, without trusting it; its links are dead. */
export async function dismissPending(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  pendingId: string,
): Promise<Outcome<true>> {
  return change<true>(deps, caller, reference, {
    done: "network.dismissed",
    failed: "network.dismissal_failed",
    facts: { pendingId },
    call: (locator) => deps.keyControl.dismissPending(locator, pendingId),
  });
}

interface NetworkChange<T> {
  /** The action of the admin event. */
  readonly done: string;
  /** The action of a second event, when the data plane could not be told. */
  readonly failed: string;
  readonly facts: Readonly<Record<string, string>>;
  /** False: there was nothing to change. */
  readonly call: (locator: string) => Promise<T | false>;
}

/**
 * The object cannot share a transaction with the database. The event is written first: that something is in the log which
 * did not happen, and is followed by an event that says so, is better than a change that nobody can account for.
 */
async function change<T extends string | true>(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  { done, failed, facts, call }: NetworkChange<T>,
): Promise<Outcome<T>> {
  const found = await locate(deps, caller, reference, "network.change");
  if (!found.ok) return found;
  const { locator, id } = found.value;
  const subject = { kind: "holder", id } as const;
  await insertAdminEvent(deps.db, adminEvent(caller, done, subject, { metadata: facts }));
  const asked = await ask(deps, () => call(locator));
  if (asked.ok && asked.value !== false) return ok(asked.value);
  await insertAdminEvent(deps.db, adminEvent(caller, failed, subject, { metadata: facts }));
  return asked.ok ? fail("not_found") : asked;
}

async function locate(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  action: Action,
): Promise<Outcome<{ readonly id: string; readonly locator: string }>> {
  const allowed = authorize(caller, action);
  if (!allowed.ok) return allowed;
  return findHolder(deps, caller, reference);
}

async function ask<T>(deps: ServiceDependencies, call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return ok(await call());
  } catch (error) {
    // The object's own refusal: a network that belongs to nobody in particular.
    if (error instanceof RangeError)
      return invalid("network", "It is shared by strangers: it cannot be trusted.");
    deps.log("warn", "networks_failed", { error: error instanceof Error ? error.name : typeof error });
    return fail("data_plane_away");
  }
}

/** The form in which the object keeps a network; null when it is none, or too wide to be anybody's. */
function canonicalNetwork(text: string): string | null {
  const single = canonicalIp(text);
  if (single !== null) return single.address;
  const cidr = parseCidr(text);
  if (cidr === null) return null;
  const least = cidr.address.includes(":") ? LEAST_BITS.v6 : LEAST_BITS.v4;
  return cidr.bits < least ? null : formatCidr(cidr);
}
