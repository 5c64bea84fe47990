import * as z from "zod";
import { formatCidr, parseCidr } from "@relaykey/core/ip";
import { ENFORCEMENTS } from "@relaykey/core/enforcement";
import { KEY_SORTS, NEWEST_FIRST } from "@relaykey/core/key-sort";
import { NO_LIMITS } from "@relaykey/core/limits";
import { parseRule } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import type { IpPolicy } from "@relaykey/core/snapshot";
import type { PolicyUpdate } from "../../service/key-policy.ts";
import { at, enforcementAnswer, limitsAnswer, pageOf, uuid } from "./answers.ts";
import {
  EXPIRY_TWICE,
  change,
  duration,
  expiry,
  expiryOnce,
  id,
  label,
  moment,
  page,
  reference,
  strict,
  withoutAbsent,
} from "./fields.ts";
import { limits } from "./limits.ts";

const ruleText = z.string('Give a rule such as "POST /v1/chat/completions".');

/** A rule as text, or with constraints on the query as an object. */
const rule = z.union(
  [
    ruleText,
    strict({
      rule: ruleText,
      query: strict({
        allow: z.array(z.string()).max(100).optional(),
        values: z.record(z.string(), z.array(z.string())).optional(),
        no_duplicates: z.boolean().optional(),
      }),
    }),
  ],
  'Give a rule such as "POST /v1/chat/completions".',
);

export const allow = z
  .array(rule, 'Give a list of rules such as ["POST /v1/chat/completions"].')
  .min(1, 'Give at least one rule, such as "POST /v1/chat/completions".')
  .max(200, "Give at most 200 rules.")
  .transform((rules, context) =>
    rules.map((input, index): ScopeRule => {
      const parsed = parseRule(typeof input === "string" ? input : input.rule);
      if (!parsed.ok) {
        context.addIssue({ code: "custom", path: [index], message: parsed.error });
        return z.NEVER;
      }
      if (typeof input === "string") return parsed.rule;
      const { no_duplicates: noDuplicates, ...query } = input.query;
      return { ...parsed.rule, query: withoutAbsent({ ...query, noDuplicates }) };
    }),
  );

const cidr = z.string("Give an address or a block such as 10.0.0.0/8.").transform((text, context) => {
  const parsed = parseCidr(text);
  if (parsed !== null) return formatCidr(parsed);
  context.addIssue({
    code: "custom",
    message: `"${text}" is not a block: give its first address and prefix length, such as 10.0.0.0/8.`,
  });
  return z.NEVER;
});

/** Blocks of addresses, in canonical form; an empty list where that means none. */
export const blocks = z
  .array(cidr, 'Give a list of blocks such as ["10.0.0.0/8"].')
  .max(500, "Give at most 500 blocks.");

/** Blocks of addresses, in canonical form. */
export const cidrs = z
  .array(cidr, 'Give a list of blocks such as ["10.0.0.0/8"].')
  .min(1, "Give at least one block.")
  .max(500, "Give at most 500 blocks.");

export const ip = strict({
  mode: z.enum(["any", "allowlist", "confirm"], "Give one of: any, allowlist, confirm."),
  cidrs: cidrs.optional(),
}).transform(({ mode, cidrs }, context): IpPolicy => {
  if (mode === "allowlist" && cidrs !== undefined) return { mode, cidrs };
  if (mode !== "allowlist" && cidrs === undefined) return { mode };
  const message =
    mode === "allowlist"
      ? "An allowlist needs its blocks here."
      : "Blocks belong to the mode allowlist only.";
  context.addIssue({ code: "custom", path: ["cidrs"], message });
  return z.NEVER;
});

/** Values of the `{name}` segments in the rules. */
export const bindings = z.record(
  z.string(),
  z.string("Give a text.").min(1, "Give at least one character.").max(256, "Give at most 256 characters."),
  'Give an object such as { "zone": "…" }.',
);

const policy = {
  name: label,
  allow,
  bindings,
  ip,
  limits,
  not_before: moment.nullable(),
  expires_at: moment.nullable(),
  expires_in: duration,
  enforcement: z.enum(ENFORCEMENTS, "Give lease or edge."),
};

/** An expiry that is given in one of two ways, or not at all. */
export const EXPIRY_FIELDS = { expires_at: policy.expires_at, expires_in: policy.expires_in };

const keyFields = strict({
  ...z.object(policy).partial().shape,
  holder: reference,
  integration: reference,
  allow,
});

/** Becomes what the service takes once the time is known. */
export const keyInput = keyFields.refine(expiryOnce, EXPIRY_TWICE).transform((input) => (now: number) => ({
  holder: input.holder,
  integration: input.integration,
  name: input.name ?? null,
  rules: input.allow,
  bindings: input.bindings ?? {},
  ip: input.ip ?? null,
  notBefore: input.not_before ?? null,
  expiresAt: expiry(input, now) ?? null,
  limits: { ...NO_LIMITS, ...input.limits },
  enforcement: input.enforcement ?? ("lease" as const),
}));

export const keyChange = change(policy)
  .refine(expiryOnce, EXPIRY_TWICE)
  .transform(
    (input) =>
      (now: number): PolicyUpdate =>
        withoutAbsent({
          name: input.name,
          rules: input.allow,
          bindings: input.bindings,
          ip: input.ip,
          notBefore: input.not_before,
          expiresAt: expiry(input, now),
          limits: input.limits,
          enforcement: input.enforcement,
        }),
  );

export const keyParams = strict({ key: id });

const STATES = ["active", "revoked", "frozen"] as const;

/** Which keys are meant. A query gives texts, a body the same. */
export const keySelection = {
  holder: reference.optional(),
  integration: reference.optional(),
  state: z.enum(STATES, "Give one of: active, revoked, frozen.").optional(),
  search: z
    .string("Give a text.")
    .min(1, "Give at least one character.")
    .max(100, "Give at most 100 characters.")
    .meta({ description: "Part of the key's name or display form, or of its holder's name." })
    .optional(),
  expires_before: moment.optional(),
  created_before: moment.optional(),
  unused_since: moment.meta({ description: "No request of the key has arrived since." }).optional(),
};

export const keyQuery = strict({
  ...page,
  // What a sorted list goes on from is more than an id.
  cursor: z.string().max(1_024, "Give the next_cursor of the page before.").optional(),
  sort: z
    .enum(KEY_SORTS, `Give one of: ${KEY_SORTS.join(", ")}.`)
    .meta({
      description:
        "What to sort by; a minus sign: falling. `use` is the number of requests in the last seven days. Keys without a last use or an expiry come last both ways. A cursor goes with the sort it was made by.",
    })
    .default(NEWEST_FIRST),
  ...keySelection,
  policy: z
    .enum(["enforced", "pending"], "Give enforced or pending.")
    .meta({ description: "Whether the newest policy is in force." })
    .optional(),
}).transform(({ policy: policyState, ...query }) => ({
  ...selection(query),
  ...(policyState === undefined ? {} : { enforced: policyState === "enforced" }),
  sort: query.sort,
  limit: query.limit,
  cursor: query.cursor,
}));

/** The members of a selection, as the service takes them. */
export function selection(input: z.output<z.ZodObject<typeof keySelection>>) {
  return withoutAbsent({
    holder: input.holder,
    integration: input.integration,
    state: input.state,
    search: input.search,
    expiresBefore: input.expires_before,
    createdBefore: input.created_before,
    unusedSince: input.unused_since,
  });
}

export const ruleAnswer = z.union([
  z.string(),
  z.strictObject({
    rule: z.string(),
    query: z.strictObject({
      allow: z.array(z.string()).readonly().optional(),
      values: z.record(z.string(), z.array(z.string()).readonly()).optional(),
      no_duplicates: z.boolean().optional(),
    }),
  }),
]);

export const keyShape = z
  .strictObject({
    id: uuid,
    name: z.string(),
    display: z
      .string()
      .meta({ description: "The beginning and the end of the key: what people know it by." }),
    state: z.enum(STATES),
    holder: z.strictObject({ id: uuid, name: z.string() }),
    integration: z.strictObject({ id: uuid, slug: z.string() }),
    allow: z.array(ruleAnswer).readonly(),
    bindings: z.record(z.string(), z.string()),
    ip: z.strictObject({
      mode: z.enum(["any", "allowlist", "confirm"]),
      cidrs: z.array(z.string()).readonly().optional(),
    }),
    limits: limitsAnswer,
    not_before: at.nullable(),
    expires_at: at.nullable(),
    enforcement: z.enum(ENFORCEMENTS),
    enforcement_bound_seconds: z
      .int()
      .meta({ description: "How long a change may take to be in force everywhere once it is reported so." }),
    policy: z.strictObject({
      version: z.int(),
      state: z.enum(["enforced", "pending"]),
      enforced_version: z.int(),
      enforced_at: at.nullable(),
    }),
    frozen_by: z.enum(["admin", "holder"]).nullable(),
    frozen_at: at.nullable(),
    replaces: uuid.nullable().meta({ description: "The key that this one was made to replace." }),
    revoked_at: at.nullable(),
    created_at: at,
  })
  .meta({ id: "Key" });

const listedKeyShape = z
  .strictObject({
    ...keyShape.shape,
    last_used_at: at.nullable().meta({ description: "Of its latest request in the audit log." }),
  })
  .meta({ id: "ListedKey" });

export const receiptShape = z
  .strictObject({
    version: z.int(),
    enforced_at: at.meta({ description: "From here on no request started under an older version." }),
    waited_ms: z.int(),
    last_admitted_at: at.nullable(),
    streams_cut: z.int(),
  })
  .meta({ id: "Receipt" });

export const keyAnswer = z.strictObject({ key: listedKeyShape });
export const keyChangeAnswer = z.strictObject({ key: keyShape, enforcement: enforcementAnswer });
export const createdKeyAnswer = z.strictObject({
  key: keyShape,
  enforcement: enforcementAnswer,
  token: z.string().meta({ description: "The key itself. Shown this once." }),
});
export const revokedKeyAnswer = z.strictObject({
  key: keyShape,
  enforcement: enforcementAnswer,
  receipt: receiptShape.nullable(),
});
export const keyPage = pageOf(listedKeyShape);
export const receiptsAnswer = z.strictObject({ data: z.array(receiptShape).readonly() });
export const inspectionAnswer = z.strictObject({
  inspection: z
    .strictObject({
      version: z.int(),
      state: z.enum(["active", "revoked", "frozen"]),
      leased_until: at.nullable(),
      leases_asked: z.int(),
      uses_taken: z.int(),
      holder_freezes: z.int(),
    })
    .nullable()
    .meta({ description: "What the data plane has of the key; null when it was never told of it." }),
});
