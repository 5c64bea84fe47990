import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { formatCidr, parseCidr } from "@relaykey/core/ip";
import { setConfirmation } from "@relaykey/db/queries/confirmation-policy";
import { findOrganization } from "@relaykey/db/queries/organizations";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceOpenKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, ok } from "./outcome.ts";
import type { FieldError, Outcome } from "./outcome.ts";

const MAX_BLOCKS = 500;
const MAX_TRUST_DAYS = 3_650;
const V6_PREFIX = { least: 32, most: 128 };

export async function showConfirmation(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<ConfirmationPolicy>> {
  const allowed = authorize(caller, "organization.read");
  if (!allowed.ok) return allowed;
  const organization = await findOrganization(deps.db, caller.organizationId);
  return organization === null ? fail("not_found") : ok(organization.confirmation);
}

/** Sets how people confirm addresses, and waits until that holds for the keys it concerns. */
export async function changeConfirmation(
  deps: ServiceDependencies,
  caller: Caller,
  input: ConfirmationPolicy,
): Promise<Outcome<FanOut>> {
  const allowed = authorize(caller, "organization.change");
  if (!allowed.ok) return allowed;
  const errors = [
    ...checkBlocks("preapproved", input.preapproved),
    ...checkBlocks("neverConfirmable", input.neverConfirmable),
    ...checkNumber("trustDays", input.trustDays, { least: 1, most: MAX_TRUST_DAYS }),
    ...checkNumber("v6Prefix", input.v6Prefix, V6_PREFIX),
  ];
  if (errors.length > 0) return fail("invalid_request", { errors });
  const before = await findOrganization(deps.db, caller.organizationId);
  if (before === null) return fail("not_found");
  const confirmation = {
    ...input,
    preapproved: input.preapproved.map(canonicalBlock),
    neverConfirmable: input.neverConfirmable.map(canonicalBlock),
  };
  const facts = changedFacts(before.confirmation, confirmation);
  if (Object.keys(facts.after).length === 0) return ok({ state: "enforced", keys: 0, pending: 0 });
  const keys = await setConfirmation(deps.db, caller.organizationId, {
    confirmation,
    event: adminEvent(
      caller,
      "organization.changed",
      { kind: "organization", id: caller.organizationId },
      facts,
    ),
  });
  const { state, pending } = await enforceOpenKeys(deps, caller.organizationId);
  return ok({ state, keys, pending });
}

function checkBlocks(field: string, blocks: readonly string[]): FieldError[] {
  if (blocks.length > MAX_BLOCKS) {
    return [{ field, message: `Give at most ${String(MAX_BLOCKS)} blocks.` }];
  }
  return blocks
    .filter((block) => parseCidr(block) === null)
    .map((block) => ({
      field,
      message: `"${block}" is not a block such as 203.0.113.0/24 or 2001:db8::/48, without set host bits.`,
    }));
}

function checkNumber(
  field: string,
  value: number | null,
  { least, most }: { readonly least: number; readonly most: number },
): FieldError[] {
  if (value === null || (Number.isSafeInteger(value) && value >= least && value <= most)) return [];
  return [{ field, message: `Give a whole number from ${String(least)} to ${String(most)}.` }];
}

function canonicalBlock(text: string): string {
  const block = parseCidr(text);
  return block === null ? text : formatCidr(block);
}
