import { newId } from "@relaykey/core/ids";
import { isWithinCidrs } from "@relaykey/core/ip";
import { compileScope, formatRule } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import { firstUncovered } from "@relaykey/core/scope-subset";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/tokens";
import type { ManagementToken } from "@relaykey/db/queries/tokens";
import type { ProvisionBounds } from "@relaykey/db/schema/access";
import type { Role } from "@relaykey/db/schema/people";
import { authorize } from "./authorization.ts";
import { adminEvent, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { findHolder } from "./holders.ts";
import { findIntegration } from "./integrations.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { FieldError, Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";

/** A token as it is asked for. `bounds` names integrations and holders by id, slug or name. */
export interface TokenInput {
  readonly name: string;
  readonly kind: "standard" | "provisioner";
  readonly role: Role;
  readonly rules: readonly ScopeRule[] | null;
  readonly ipCidrs: readonly string[] | null;
  readonly expiresAt: Date | null;
  readonly bounds: ProvisionBounds | null;
}

/** Issues a management token. A token cannot issue one that may do more than itself. */
export async function createToken(
  deps: ServiceDependencies,
  caller: Caller,
  input: TokenInput,
): Promise<Outcome<{ readonly record: ManagementToken; readonly token: Secret }>> {
  const allowed = authorize(caller, "token.change");
  if (!allowed.ok) return allowed;
  if (input.expiresAt !== null && input.expiresAt.getTime() <= deps.now()) {
    return invalid("expires_at", "The expiry must be in the future.");
  }
  const wider = widerThan(caller, input);
  if (wider.length > 0) return fail("token_scope", { errors: wider });
  const bounds = input.bounds === null ? ok(null) : await readBounds(deps, caller, input.bounds);
  if (!bounds.ok) return bounds;
  const { organizationId, actor } = caller;
  const minted = await mintToken("mgmt", null, deps.tagKey);
  const id = newId();
  const { rules, ipCidrs, ...settings } = input;
  const record = await queries.createManagementToken(
    deps.db,
    {
      ...settings,
      id,
      organizationId,
      rules,
      ipCidrs: ipCidrs === null ? null : [...ipCidrs],
      bounds: bounds.value,
      tokenHash: minted.hash,
      display: minted.display,
      createdByKind: actor.kind,
      createdById: actor.id,
      // What ends with a person's membership makes nothing that goes on without them.
      userId: caller.token?.userId ?? null,
    },
    await creationEvent(
      caller,
      "management_token.created",
      { kind: "management_token", id },
      {
        after: {
          ...settings,
          display: minted.display,
          ipCidrs,
          allow: rules?.map(formatRule) ?? null,
          bounds: bounds.value,
        },
      },
      minted.token,
    ),
  );
  return ok({ record, token: minted.token });
}

export async function listTokens(
  deps: ServiceDependencies,
  caller: Caller,
  page: PageRequest,
): Promise<Outcome<Page<ManagementToken>>> {
  const allowed = authorize(caller, "token.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listManagementTokens(deps.db, caller.organizationId, {
    limit: page.limit + 1,
    before: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

export async function showToken(
  deps: ServiceDependencies,
  caller: Caller,
  tokenId: string,
): Promise<Outcome<ManagementToken>> {
  const allowed = authorize(caller, "token.read");
  if (!allowed.ok) return allowed;
  return findToken(deps, caller, tokenId);
}

/** Revokes a token for good: no call with it is let in any more. Doing it again changes nothing. */
export async function revokeToken(
  deps: ServiceDependencies,
  caller: Caller,
  tokenId: string,
): Promise<Outcome<ManagementToken>> {
  const allowed = authorize(caller, "token.change");
  if (!allowed.ok) return allowed;
  const event = adminEvent(caller, "management_token.revoked", { kind: "management_token", id: tokenId });
  await queries.revokeManagementToken(deps.db, caller.organizationId, tokenId, new Date(deps.now()), event);
  return findToken(deps, caller, tokenId);
}

async function findToken(
  deps: ServiceDependencies,
  caller: Caller,
  tokenId: string,
): Promise<Outcome<ManagementToken>> {
  const record = await queries.findManagementToken(deps.db, caller.organizationId, tokenId);
  return record === null ? fail("not_found") : ok(record);
}

/** Each way in which a token would be wider than the one that asks for it. People are bound by their role alone. */
function widerThan({ token, role }: Caller, input: TokenInput): FieldError[] {
  if (token === null) return [];
  const errors: FieldError[] = [];
  if (role !== "admin" && input.role === "admin") {
    errors.push({ field: "role", message: "A viewer's token cannot make an admin's." });
  }
  if (token.rules !== null) {
    const within = token.rules.map(formatRule).join(", ");
    if (input.rules === null) {
      errors.push({ field: "allow", message: `Give rules that lie within your token's: ${within}.` });
    } else {
      const index = firstUncovered(compileScope(token.rules, {}), compileScope(input.rules, {}));
      if (index !== null) {
        errors.push({
          field: `allow.${String(index)}`,
          message: `This rule is not within your token's: ${within}.`,
        });
      }
    }
  }
  if (token.ipCidrs !== null) {
    const { ipCidrs } = token;
    const outside = input.ipCidrs?.findIndex((cidr) => !isWithinCidrs(cidr, ipCidrs));
    if (outside !== -1) {
      errors.push({
        field: outside === undefined ? "ips" : `ips.${String(outside)}`,
        message: `Give blocks within those of your token: ${ipCidrs.join(", ")}.`,
      });
    }
  }
  if (token.expiresAt !== null && (input.expiresAt === null || input.expiresAt > token.expiresAt)) {
    errors.push({
      field: "expires_at",
      message: `Your token expires at ${token.expiresAt.toISOString()}: one of its making cannot outlast it.`,
    });
  }
  return errors;
}

/** Turns names into ids, so that a thing that later takes the name over is not meant. */
async function readBounds(
  deps: ServiceDependencies,
  caller: Caller,
  bounds: ProvisionBounds,
): Promise<Outcome<ProvisionBounds>> {
  const integrations: string[] = [];
  for (const [index, reference] of bounds.integrations.entries()) {
    const found = await findIntegration(deps, caller, reference);
    if (!found.ok) {
      const message = `There is no integration "${reference}".`;
      return fail("integration_unknown", {
        errors: [{ field: `bounds.integrations.${String(index)}`, message }],
      });
    }
    integrations.push(found.value.id);
  }
  const holders: string[] = [];
  for (const [index, reference] of (bounds.holders ?? []).entries()) {
    const found = await findHolder(deps, caller, reference);
    if (!found.ok) {
      const message = `There is no holder "${reference}".`;
      return fail("holder_unknown", { errors: [{ field: `bounds.holders.${String(index)}`, message }] });
    }
    holders.push(found.value.id);
  }
  return ok({ ...bounds, integrations, holders: bounds.holders === null ? null : holders });
}
