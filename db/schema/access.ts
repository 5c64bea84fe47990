import {
  bigint,
  boolean,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import type { ScopeRule } from "@relaykey/core/scope";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";
import { users } from "./people.ts";

export const TOKEN_KINDS = ["bootstrap", "standard", "provisioner"] as const;

/** What a provisioner token may mint at most. Every member is a bound, none a default. */
export interface ProvisionBounds {
  /** Ids of the integrations it may issue keys for. */
  readonly integrations: readonly string[];
  /** Ids of the holders it may issue keys to; null = any. */
  readonly holders: readonly string[] | null;
  /** Every rule of a minted key must be covered by these. */
  readonly rules: readonly ScopeRule[];
  readonly maxTtlSeconds: number;
  /** Minted keys must name an allowlist within these; null = any policy. */
  readonly cidrs: readonly string[] | null;
  /** Upper bound of a minted key's rate; null = not limited. */
  readonly rate: { readonly limit: number; readonly windowSeconds: number } | null;
  /** Keys alive at the same time. */
  readonly maxAlive: number;
}

/** `rk_mgmt_` tokens: only the hash is here. */
export const managementTokens = pgTable("management_tokens", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  name: text("name").notNull(),
  kind: text("kind", { enum: TOKEN_KINDS }).notNull(),
  role: text("role", { enum: ["admin", "viewer"] })
    .notNull()
    .default("admin"),
  tokenHash: text("token_hash").notNull().unique(),
  display: text("display").notNull(),
  /** Methods and paths of the management API it may call; null = all that its role may. */
  rules: jsonb("rules").$type<readonly ScopeRule[]>(),
  /** Blocks it may be used from; null = any address. */
  ipCidrs: text("ip_cidrs").array(),
  /** Provisioner tokens only. */
  bounds: jsonb("bounds").$type<ProvisionBounds>(),
  createdByKind: text("created_by_kind"),
  createdById: uuid("created_by_id"),
  /** Whose command line has it: it may do what they may, as long as they are a member. null = it stands for itself. */
  userId: uuid("user_id").references(() => users.id),
  lastUsedAt: moment("last_used_at"),
  lastUsedIp: text("last_used_ip"),
  expiresAt: moment("expires_at"),
  revokedAt: moment("revoked_at"),
  createdAt: createdAt(),
});

/**
 * A try to sign in: one mail with a link and a code. Hashes only. The link works in the browser that asked
 * (`browserHash`), the typed code in another one.
 */
export const signInAttempts = pgTable("sign_in_attempts", {
  id: id(),
  email: text("email").notNull(),
  linkHash: text("link_hash").notNull().unique(),
  codeHash: text("code_hash"),
  codeTries: integer("code_tries").notNull().default(0),
  /** SHA-256 (hex) of a cookie; null: made by an operator on this machine, works in any browser. */
  browserHash: text("browser_hash"),
  ip: text("ip"),
  userAgent: text("user_agent"),
  expiresAt: moment("expires_at").notNull(),
  usedAt: moment("used_at"),
  createdAt: createdAt(),
});

/** Signed-in browsers: SHA-256 (hex) of the cookie. */
export const sessions = pgTable("sessions", {
  id: id(),
  userId: uuid("user_id")
    .notNull()
    .references(() => users.id),
  /** The organization the person is looking at; null until one is chosen. */
  organizationId: uuid("organization_id"),
  tokenHash: text("token_hash").notNull().unique(),
  ip: text("ip"),
  userAgent: text("user_agent"),
  lastSeenAt: moment("last_seen_at"),
  /** Until when dangerous actions need no new passkey prompt. */
  strongUntil: moment("strong_until"),
  expiresAt: moment("expires_at").notNull(),
  createdAt: createdAt(),
});

/** Passkeys (WebAuthn credentials). */
export const passkeys = pgTable("passkeys", {
  id: id(),
  userId: uuid("user_id")
    .notNull()
    .references(() => users.id),
  /** base64url */
  credentialId: text("credential_id").notNull().unique(),
  /** COSE key, base64url */
  publicKey: text("public_key").notNull(),
  counter: bigint("counter", { mode: "number" }).notNull(),
  transports: text("transports").array().notNull(),
  backedUp: boolean("backed_up").notNull().default(false),
  name: text("name").notNull(),
  lastUsedAt: moment("last_used_at"),
  createdAt: createdAt(),
});

/** Ceremony challenges, single use: SHA-256 (hex) of the challenge. */
export const challenges = pgTable("challenges", {
  id: id(),
  userId: uuid("user_id").notNull(),
  purpose: text("purpose", { enum: ["enroll", "assert"] }).notNull(),
  challenge: text("challenge").notNull(),
  expiresAt: moment("expires_at").notNull(),
  usedAt: moment("used_at"),
  createdAt: createdAt(),
});

/**
 * What somebody had typed into a form when they had to sign in first: one form per person, for an hour. It is encrypted under a
 * key that only a cookie of the browser that sent it yields, and holds no vendor key.
 */
export const formDrafts = pgTable("form_drafts", {
  userId: uuid("user_id")
    .primaryKey()
    .references(() => users.id),
  organizationId: organizationId(),
  /** SHA-256 (hex) of the cookie. */
  tokenHash: text("token_hash").notNull().unique(),
  sealed: text("sealed").notNull(),
  expiresAt: moment("expires_at").notNull(),
  createdAt: createdAt(),
});

/** A command line that waits for a person to let it in (RFC 8628). Hashes only. */
export const deviceLogins = pgTable("device_logins", {
  id: id(),
  deviceHash: text("device_hash").notNull().unique(),
  userCodeHash: text("user_code_hash").notNull().unique(),
  client: text("client").notNull(),
  ip: text("ip"),
  state: text("state", { enum: ["pending", "approved", "denied", "used"] }).notNull(),
  organizationId: uuid("organization_id"),
  userId: uuid("user_id"),
  /** How long the token of an approved login lives, and the most it may do. */
  tokenSeconds: integer("token_seconds"),
  role: text("role", { enum: ["admin", "viewer"] }),
  lastPolledAt: moment("last_polled_at"),
  expiresAt: moment("expires_at").notNull(),
  createdAt: createdAt(),
});

/**
 * What was taken of late from throttles of the control plane, by address, IP, token. Only `relaykey_take` writes here: it
 * divides a window into sixty slots and keeps how much was taken in each that the window can still reach.
 */
export const throttles = pgTable("throttles", {
  bucket: text("bucket").primaryKey(),
  /** When something was taken last. */
  windowStart: moment("window_start").notNull(),
  /** Over all slots. */
  count: integer("count").notNull(),
  /** Numbers of slots since 1970, the oldest first. */
  slots: bigint("slots", { mode: "number" })
    .array()
    .notNull()
    .default(sql`'{}'`),
  /** What was taken in each of them. */
  taken: integer("taken")
    .array()
    .notNull()
    .default(sql`'{}'`),
});

/**
 * Answers of creates, so that a repeated request is answered and not done again. The API's answer may show a token once, so it
 * is encrypted under a key that only the caller's own token and Idempotency-Key yield. Of a form of the dashboard it is no more
 * than the id of what was made.
 */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    organizationId: organizationId(),
    /** SHA-256 (hex) of caller and Idempotency-Key, or the form's nonce. */
    keyHash: text("key_hash").notNull(),
    /** SHA-256 (hex) of method, path and body. */
    requestHash: text("request_hash").notNull(),
    /** Of the attempt that may do it: another one takes over what was left undone, and the former can no longer commit. */
    claim: uuid("claim").notNull().defaultRandom(),
    /** What it made, noted in the transaction that made it: from then on it is never done again. */
    madeId: uuid("made_id"),
    /** The secret that its answer shows, encrypted like the answer; null: it shows none. */
    sealed: text("sealed"),
    status: integer("status"),
    answer: text("answer"),
    expiresAt: moment("expires_at").notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.keyHash] }),
    uniqueIndex("idempotency_keys_hash").on(table.keyHash),
  ],
);
