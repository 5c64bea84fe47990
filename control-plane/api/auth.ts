import { createMiddleware } from "hono/factory";
import { isCli } from "@relaykey/core/client-name";
import { compileCidrs } from "@relaykey/core/ip";
import { hashToken, parseToken, verifyTag } from "@relaykey/core/token";
import { noteTokenUse, presentManagementToken } from "@relaykey/db/queries/tokens";
import type { ManagementToken } from "@relaykey/db/queries/tokens";
import type { Caller } from "../service/caller.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import type { ApiEnv } from "./context.ts";
import { ApiError } from "./errors.ts";
import { rateFields, throttlesOf, worst } from "./throttle.ts";
import type { ApiLimits } from "./throttle.ts";

/** How often "last used" is written. */
const USE_NOTED_EVERY_MS = 60_000;

/**
 * Admits callers with a management token. A mistyped or forged token is refused with arithmetic alone; only a token that
 * this installation signed is looked up, by hash, and counted against the limits of token and address.
 */
export function authenticate(deps: ServiceDependencies, limits: ApiLimits) {
  return createMiddleware<ApiEnv>(async (context, next) => {
    const header = context.req.header("Authorization");
    if (header === undefined) throw new ApiError("token_missing");
    const parsed = parseToken(/^Bearer +(\S+)$/i.exec(header)?.[1] ?? "");
    if (parsed?.kind !== "mgmt" || !(await verifyTag(parsed, deps.tagKey))) {
      throw new ApiError("token_invalid");
    }
    const { ip } = context.env;
    const hash = await hashToken(parsed.text.reveal());
    const now = deps.now();
    const { token, taken } = await presentManagementToken(
      deps.db,
      hash,
      throttlesOf(limits, { tokenHash: hash, ip }),
      new Date(now),
    );
    const { admitted, ...rate } = worst(limits, taken, now);
    if (!admitted) throw new ApiError("rate_limited", [], rateFields(rate, admitted));
    checkToken(token, ip, now);
    await noteUse(deps, token, ip, now);
    context.set("caller", callerOf(token, ip, context.req.header("User-Agent")));
    context.set("tokenText", parsed.text);
    await next();
    for (const [name, value] of rateFields(rate, admitted)) context.res.headers.set(name, value);
  });
}

/** @throws ApiError when the token does not count, or not from there. */
function checkToken(
  token: ManagementToken | null,
  ip: string | null,
  now: number,
): asserts token is ManagementToken {
  if (token === null) throw new ApiError("token_invalid");
  if (token.revokedAt !== null) throw new ApiError("token_revoked");
  if (token.expiresAt !== null && token.expiresAt.getTime() <= now) throw new ApiError("token_expired");
  if (token.ipCidrs !== null && (ip === null || !compileCidrs(token.ipCidrs)(ip))) {
    throw new ApiError("token_address");
  }
}

async function noteUse(
  deps: ServiceDependencies,
  token: ManagementToken,
  ip: string | null,
  now: number,
): Promise<void> {
  const notSince = now - USE_NOTED_EVERY_MS;
  if (token.lastUsedAt !== null && token.lastUsedAt.getTime() >= notSince) return;
  await noteTokenUse(deps.db, token.organizationId, token.id, {
    at: new Date(now),
    ip,
    notSince: new Date(notSince),
  });
}

function callerOf(token: ManagementToken, ip: string | null, userAgent: string | undefined): Caller {
  const { id, organizationId, role, kind, rules, ipCidrs, expiresAt, bounds, userId } = token;
  return {
    organizationId,
    actor: { kind: "management_token", id },
    via: isCli(userAgent) ? "cli" : "api",
    ip,
    role,
    token: { id, kind, rules, ipCidrs, expiresAt, bounds, userId },
    isStrong: true,
  };
}
