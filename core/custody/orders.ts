import * as z from "zod/mini";
import { toHex, utf8 } from "../bytes.ts";
import { destinationSchema } from "../destination.ts";
import type { Destination } from "../destination.ts";
import type { EnvelopeContext } from "../envelope.ts";
import { customerKeySchema } from "./customer-key.ts";
import type { CustomerKey } from "./customer-key.ts";
import type { CustodyProblem } from "./problems.ts";

/** A sealed challenge: the proxy answers with its digest if it can open it, with the customer's key and its own. */
export interface ChallengeOrder {
  readonly format: 1;
  readonly organizationId: string;
  readonly envelope: string;
}

/**
 * A vendor key's envelope that is to be wrapped for another key. The proxy adds its own pair: nobody orders around it. The
 * destination is the one that it was sealed for, and stays: with another one the envelope does not open.
 */
export interface RewrapOrder {
  readonly format: 1;
  readonly organizationId: string;
  readonly integrationId: string;
  readonly version: number;
  readonly destination: Destination;
  readonly envelope: string;
  /** null: for the proxy's own pair alone. */
  readonly customerKey: CustomerKey | null;
}

/** SHA-256 of the challenge, hex, where it was opened. */
export type ChallengeResult =
  { readonly ok: true; readonly digest: string } | { readonly ok: false; readonly problem: CustodyProblem };

export type RewrapResult =
  { readonly ok: true; readonly envelope: string } | { readonly ok: false; readonly problem: CustodyProblem };

/** Where challenges belong: an envelope of a vendor key does not open as one, so that no digest of a vendor key is given out. */
export function challengeContext(organizationId: string): EnvelopeContext {
  return { organizationId, recordId: organizationId, field: "custody_challenge", version: 1 };
}

export async function challengeDigest(challenge: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(challenge))));
}

const id = z.string().check(z.minLength(1), z.maxLength(64));
const envelope = z.string().check(z.minLength(1), z.maxLength(65_536));

const challengeSchema = z.strictObject({ format: z.literal(1), organizationId: id, envelope });
const rewrapSchema = z.strictObject({
  format: z.literal(1),
  organizationId: id,
  integrationId: id,
  version: z.int().check(z.minimum(1)),
  destination: destinationSchema,
  envelope,
  customerKey: z.nullable(customerKeySchema),
});

/** @throws when a member is not of its form. */
export function encodeChallengeOrder(order: ChallengeOrder): string {
  return JSON.stringify(challengeSchema.parse(order));
}

/** @throws when a member is not of its form. */
export function encodeRewrapOrder(order: RewrapOrder): string {
  return JSON.stringify(rewrapSchema.parse(order));
}

/** Strict. @throws TypeError when it cannot be read. */
export function decodeChallengeOrder(text: string): ChallengeOrder {
  return decode(challengeSchema, text);
}

/** Strict. @throws TypeError when it cannot be read. */
export function decodeRewrapOrder(text: string): RewrapOrder {
  return decode(rewrapSchema, text);
}

function decode<T>(schema: z.ZodMiniType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError("The order is not JSON.");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TypeError(`The order cannot be read: ${parsed.error.issues[0]?.path.join(".") ?? ""}.`);
}
