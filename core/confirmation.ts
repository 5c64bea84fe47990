import * as z from "zod/mini";
import { DEFAULT_V6_PREFIX, parseCidr } from "./ip.ts";

/** How a person's keys come to be usable from a new address. Set by the organization, refined per holder. */
export interface ConfirmationPolicy {
  /** The first network is trusted as it is used; false: it, too, has to be confirmed. */
  readonly trustOnFirstUse: boolean;
  /** Days after its last use until a trusted network has to be confirmed again; null = never. */
  readonly trustDays: number | null;
  /** Blocks that need no confirmation. */
  readonly preapproved: readonly string[];
  /** Blocks shared by strangers, beside the built-in ones: nobody can confirm an address in them. */
  readonly neverConfirmable: readonly string[];
  /** The person has to type the number that the refused call was answered with. */
  readonly numberMatching: boolean;
  /** Leading bits of an IPv6 address that count as one client. */
  readonly v6Prefix: number;
}

export const DEFAULT_CONFIRMATION: ConfirmationPolicy = {
  trustOnFirstUse: true,
  trustDays: null,
  preapproved: [],
  neverConfirmable: [],
  numberMatching: false,
  v6Prefix: DEFAULT_V6_PREFIX,
};

const cidrs = z
  .array(z.string().check(z.refine((text) => parseCidr(text) !== null, "not a CIDR block")))
  .check(z.maxLength(500));

export const confirmationSchema = z.strictObject({
  trustOnFirstUse: z.boolean(),
  trustDays: z.nullable(z.int().check(z.minimum(1), z.maximum(3_650))),
  preapproved: cidrs,
  neverConfirmable: cidrs,
  numberMatching: z.boolean(),
  v6Prefix: z.int().check(z.minimum(32), z.maximum(128)),
});

/** Minutes a pending confirmation, and each of its links, can be used. */
export const CONFIRMATION_MINUTES = 15;

/** Networks that belong to nobody in particular: every Worker that calls out shows this one (Cloudflare). */
export const SHARED_EGRESS = ["2a06:98c0:3600::/48"] as const;
