import { createMiddleware } from "hono/factory";
import { hashToken, parseToken, verifyTag } from "@relaykey/core/token";
import { findManagementToken } from "@relaykey/db/queries/tokens";
import type { ServiceDependencies } from "../service/dependencies.ts";
import type { ApiEnv } from "./context.ts";
import { ApiError } from "./errors.ts";

/**
 * Admits callers with a management token. A mistyped or forged token is refused with arithmetic alone; only a token that
 * this installation signed is looked up, by hash.
 */
export function authenticate(deps: ServiceDependencies) {
  return createMiddleware<ApiEnv>(async (context, next) => {
    const header = context.req.header("Authorization");
    if (header === undefined) throw new ApiError("token_missing");
    const parsed = parseToken(/^Bearer +(\S+)$/i.exec(header)?.[1] ?? "");
    if (parsed?.kind !== "mgmt" || !(await verifyTag(parsed, deps.tagKey))) {
      throw new ApiError("token_invalid");
    }
    const token = await findManagementToken(deps.db, await hashToken(parsed.text.reveal()));
    if (token === null) throw new ApiError("token_invalid");
    if (token.revokedAt !== null) throw new ApiError("token_revoked");
    if (token.expiresAt !== null && token.expiresAt.getTime() <= deps.now()) {
      throw new ApiError("token_expired");
    }
    context.set("caller", {
      organizationId: token.organizationId,
      actor: { kind: "management_token", id: token.id },
      via: "api",
      ip: context.env.ip,
      role: token.role,
      token: {
        id: token.id,
        kind: token.kind,
        rules: token.rules,
        ipCidrs: token.ipCidrs,
        expiresAt: token.expiresAt,
        bounds: token.bounds,
      },
      isStrong: true,
    });
    await next();
  });
}
