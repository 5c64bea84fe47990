import { formatRule, parseRule } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import { formatCidr, parseCidr } from "@relaykey/core/ip";
import type { ManagementToken } from "@relaykey/db/queries/tokens";
import type { TokenInput } from "../../service/tokens.ts";
import { fail, ok } from "../../service/outcome.ts";
import type { FieldError, Outcome } from "../../service/outcome.ts";
import type { FormValues } from "./form.ts";

const DAY_MS = 86_400_000;
const MAX_DAYS = 3_650;
const MAX_NAME = 100;

/** A token as a list shows it: never its hash. */
export function showTokenRow(token: ManagementToken, now: number) {
  const isExpired = token.expiresAt !== null && token.expiresAt.getTime() <= now;
  return {
    id: token.id,
    name: token.name,
    display: token.display,
    kind: token.kind,
    role: token.role,
    rules: token.rules?.map(formatRule) ?? [],
    ipCidrs: token.ipCidrs ?? [],
    state:
      token.revokedAt !== null
        ? ("revoked" as const)
        : isExpired
          ? ("expired" as const)
          : ("active" as const),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
  };
}

export type TokenRow = ReturnType<typeof showTokenRow>;

/** Reads the form of a new token. Bounds of provisioners are set through the API and the CLI. */
export function readTokenForm(form: FormValues, now: number): Outcome<TokenInput> {
  const errors: FieldError[] = [];
  const name = form.text("name");
  if (name === "" || name.length > MAX_NAME) {
    errors.push({ field: "name", message: `Give a name of at most ${String(MAX_NAME)} characters.` });
  }
  const days = form.optional("days");
  const isWhole = days === null || (/^\d{1,4}$/.test(days) && Number(days) >= 1 && Number(days) <= MAX_DAYS);
  if (!isWhole)
    errors.push({ field: "days", message: `Give whole days from 1 to ${String(MAX_DAYS)}, or nothing.` });
  const rules: ScopeRule[] = [];
  for (const line of form.lines("allow")) {
    const parsed = parseRule(line);
    if (parsed.ok) rules.push(parsed.rule);
    else errors.push({ field: "allow", message: `${line}: ${parsed.error}` });
  }
  const cidrs: string[] = [];
  for (const line of form.lines("ips")) {
    const block = parseCidr(line);
    if (block === null)
      errors.push({ field: "ips", message: `"${line}" is not a block such as 203.0.113.0/24.` });
    else cidrs.push(formatCidr(block));
  }
  if (errors.length > 0) return fail("invalid_request", { errors });
  return ok({
    name,
    kind: "standard",
    role: form.text("role") === "viewer" ? "viewer" : "admin",
    rules: rules.length === 0 ? null : rules,
    ipCidrs: cidrs.length === 0 ? null : cidrs,
    expiresAt: days === null ? null : new Date(now + Number(days) * DAY_MS),
    bounds: null,
  });
}
