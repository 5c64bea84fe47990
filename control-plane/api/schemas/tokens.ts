import * as z from "zod";
import { placeholders } from "@relaykey/core/scope";
import { ROLES } from "@relaykey/db/schema/people";
import type { TokenInput } from "../../service/tokens.ts";
import { at, pageOf, uuid } from "./answers.ts";
import {
  EXPIRY_TWICE,
  duration,
  expiry,
  expiryOnce,
  id,
  label,
  moment,
  page,
  reference,
  strict,
} from "./fields.ts";
import { allow, cidrs, ruleAnswer } from "./keys.ts";
import { rate } from "./limits.ts";

/** Rules in which nothing is left to be bound. */
const wholeRules = allow.refine((rules) => placeholders(rules).length === 0, {
  message: "Write * for any segment: {name} is bound per key.",
});

const bounds = strict({
  integrations: z
    .array(reference, "Give the integrations that it may issue keys for.")
    .min(1, "Give at least one integration.")
    .max(100, "Give at most 100 integrations."),
  holders: z
    .array(reference, "Give the holders that it may issue keys to, or null for any.")
    .min(1, "Give at least one holder, or null for any.")
    .max(100, "Give at most 100 holders.")
    .nullable()
    .default(null),
  allow: wholeRules,
  max_ttl: duration,
  ips: cidrs.nullable().default(null),
  rate: rate.nullable().default(null),
  max_alive: z
    .int("Give a whole number from 1 to 100000.")
    .min(1, "Give a whole number from 1 to 100000.")
    .max(100_000, "Give a whole number from 1 to 100000."),
}).transform(({ allow: rules, max_ttl, ips, max_alive, ...same }) => ({
  ...same,
  rules,
  maxTtlSeconds: Math.floor(max_ttl / 1_000),
  cidrs: ips,
  maxAlive: max_alive,
}));

/** Becomes what the service takes once the time is known. */
export const tokenInput = strict({
  name: label,
  kind: z.enum(["standard", "provisioner"], "Give standard or provisioner.").default("standard"),
  role: z.enum(ROLES, "Give admin or viewer.").optional(),
  allow: wholeRules.nullable().default(null),
  ips: cidrs.nullable().default(null),
  expires_at: moment.nullable().optional(),
  expires_in: duration.optional(),
  bounds: bounds.optional(),
})
  .refine(expiryOnce, EXPIRY_TWICE)
  .refine(({ kind, bounds: given }) => (kind === "provisioner") === (given !== undefined), {
    path: ["bounds"],
    message: "A provisioner needs bounds; a standard token has none.",
  })
  .refine(({ kind, role }) => kind === "standard" || role !== "viewer", {
    path: ["role"],
    message: "A provisioner issues keys, which needs the role admin.",
  })
  .transform((input) => (now: number): TokenInput => ({
    name: input.name,
    kind: input.kind,
    role: input.role ?? (input.kind === "provisioner" ? "admin" : "viewer"),
    rules: input.allow,
    ipCidrs: input.ips,
    expiresAt: expiry(input, now) ?? null,
    bounds: input.bounds ?? null,
  }));

export const tokenQuery = strict(page);
export const tokenParams = strict({ token: id });

const tokenShape = z
  .strictObject({
    id: uuid,
    name: z.string(),
    kind: z.enum(["bootstrap", "standard", "provisioner"]),
    role: z.enum(ROLES),
    display: z.string(),
    allow: z
      .array(ruleAnswer)
      .readonly()
      .nullable()
      .meta({ description: "Operations that it may call, below /api/v1; null: all that its role may." }),
    ips: z.array(z.string()).readonly().nullable(),
    bounds: z
      .strictObject({
        integrations: z.array(uuid).readonly(),
        holders: z.array(uuid).readonly().nullable(),
        allow: z.array(ruleAnswer).readonly(),
        max_ttl: z.string(),
        ips: z.array(z.string()).readonly().nullable(),
        rate: z.string().nullable(),
        max_alive: z.int(),
      })
      .nullable()
      .meta({ description: "What the keys that a provisioner issues may be at most." }),
    last_used_at: at.nullable().meta({ description: "Noted once a minute." }),
    last_used_ip: z.string().nullable(),
    expires_at: at.nullable(),
    revoked_at: at.nullable(),
    created_at: at,
  })
  .meta({ id: "ManagementToken" });

export const tokenAnswer = z.strictObject({ management_token: tokenShape });
export const createdTokenAnswer = z.strictObject({
  management_token: tokenShape,
  token: z.string().meta({ description: "The token itself. Shown this once." }),
});
export const tokenPage = pageOf(tokenShape);
