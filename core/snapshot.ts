import * as z from "zod/mini";
import { DEFAULT_CONFIRMATION, confirmationSchema } from "./confirmation.ts";
import type { ConfirmationPolicy } from "./confirmation.ts";
import { ENFORCEMENTS } from "./enforcement.ts";
import type { EnforcementMode } from "./enforcement.ts";
import { integrationSchema } from "./integration.ts";
import type { IntegrationSnapshot } from "./integration.ts";
import { parseCidr } from "./ip.ts";
import { NO_LIMITS, limitsSchema } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { scopeRuleSchema } from "./scope.ts";
import type { ScopeRule } from "./scope.ts";

/** From which addresses a key may be used. `confirm`: the holder confirms each new one. */
export type IpPolicy =
  | { readonly mode: "any" }
  | { readonly mode: "allowlist"; readonly cidrs: readonly string[] }
  | { readonly mode: "confirm" };

export type HolderKind = (typeof HOLDER_KINDS)[number];
export const HOLDER_KINDS = ["person", "application", "service", "agent", "vendor"] as const;

/** All that the data plane knows of a key: what it may do, and the sealed vendor key it stands for. */
export interface PolicySnapshot {
  readonly format: 1;
  /** Shown as the key's name in mail and pages. */
  readonly name: string;
  /** Strictly increasing per key. */
  readonly version: number;
  readonly keyId: string;
  readonly organizationId: string;
  readonly holderId: string;
  /** Names the holder's object: 16 hex digits. */
  readonly holderLocator: string;
  readonly tokenHash: string;
  readonly display: string;
  readonly state: "active" | "revoked" | "frozen";
  /** Epoch ms, inclusive. */
  readonly notBefore: number | null;
  /** Epoch ms, exclusive. */
  readonly expiresAt: number | null;
  readonly integration: IntegrationSnapshot;
  readonly rules: readonly ScopeRule[];
  /** Values of the `{name}` segments in the rules. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly ip: IpPolicy;
  /** How new addresses are confirmed, where `ip` says so. */
  readonly confirmation: ConfirmationPolicy;
  readonly limits: Limits;
  readonly enforcement: EnforcementMode;
  readonly holder: {
    readonly kind: HolderKind;
    readonly name: string;
    readonly email: string | null;
    /** Whether mail to the address may be sent: not after it bounced or was called spam. */
    readonly mailable: boolean;
    /** Over all keys of the holder. */
    readonly limits: Limits;
  };
  /**
   * How many of the holder's own freezes ("this wasn't me") an admin has lifted. The holder's object counts them, and the key
   * stays frozen while it counts more: a snapshot that was built without knowing of a freeze cannot undo it.
   */
  readonly freezesLifted: number;
  /** As people know it: for mail and pages. */
  readonly organizationName: string;
  readonly auditRetentionDays: number;
}

const id = z.string().check(z.minLength(1), z.maxLength(64));
const moment = z.nullable(z.int().check(z.minimum(0)));
const cidr = z.string().check(z.refine((text) => parseCidr(text) !== null, "not a CIDR block"));

const snapshotSchema = z.strictObject({
  format: z.literal(1),
  name: z._default(z.string(), ""),
  version: z.int().check(z.minimum(1)),
  keyId: id,
  organizationId: id,
  holderId: id,
  holderLocator: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
  tokenHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  display: z.string().check(z.maxLength(32)),
  state: z.enum(["active", "revoked", "frozen"]),
  notBefore: moment,
  expiresAt: moment,
  integration: integrationSchema,
  rules: z.array(scopeRuleSchema).check(z.maxLength(200)),
  bindings: z.record(z.string(), z.string()),
  ip: z.discriminatedUnion("mode", [
    z.strictObject({ mode: z.literal("any") }),
    z.strictObject({
      mode: z.literal("allowlist"),
      cidrs: z.array(cidr).check(z.minLength(1), z.maxLength(500)),
    }),
    z.strictObject({ mode: z.literal("confirm") }),
  ]),
  confirmation: z._default(confirmationSchema, () => ({
    ...DEFAULT_CONFIRMATION,
    preapproved: [],
    neverConfirmable: [],
  })),
  limits: limitsSchema,
  enforcement: z.enum(ENFORCEMENTS),
  holder: z.strictObject({
    kind: z.enum(HOLDER_KINDS),
    name: z.string(),
    email: z.nullable(z.string()),
    mailable: z._default(z.boolean(), true),
    limits: z._default(limitsSchema, NO_LIMITS),
  }),
  freezesLifted: z._default(z.int().check(z.minimum(0)), 0),
  organizationName: z._default(z.string(), ""),
  auditRetentionDays: z.int().check(z.minimum(1), z.maximum(3_650)),
});

export type DecodedSnapshot =
  { readonly ok: true; readonly snapshot: PolicySnapshot } | { readonly ok: false; readonly error: string };

/** JSON with the members in the order of the schema: equal snapshots have equal texts. */
export function encodeSnapshot(snapshot: PolicySnapshot): string {
  return JSON.stringify(snapshotSchema.parse(snapshot));
}

/** Strict: unknown members, wrong types and other formats are errors that name the member. */
export function decodeSnapshot(text: string): DecodedSnapshot {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, error: "it is not JSON" };
  }
  const parsed = snapshotSchema.safeParse(value);
  if (parsed.success) return { ok: true, snapshot: parsed.data as PolicySnapshot };
  const issue = parsed.error.issues[0];
  return { ok: false, error: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}` };
}
