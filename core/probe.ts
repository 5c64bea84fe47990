import * as z from "zod/mini";
import { integrationSchema } from "./integration.ts";
import type { IntegrationSnapshot } from "./integration.ts";

/** A sealed vendor key to be tried out at its vendor. What is asked there is the catalogue's to say, not the caller's. */
export interface ProbeOrder {
  readonly format: 1;
  readonly organizationId: string;
  /** As a policy snapshot holds it; its envelope is the one to be tried. */
  readonly integration: IntegrationSnapshot;
  /** Slug of the catalogue entry. */
  readonly catalogue: string;
}

/** What came of it. */
export const PROBE_VERDICTS = {
  accepted: "The vendor accepts the key.",
  refused: "The vendor refuses the key, or the key may not do even this.",
  limited: "The vendor says there were too many requests: it did not say whether the key is right.",
  unclear: "The vendor answered, but not as it does to this request.",
  unreachable: "The vendor could not be reached.",
  timeout: "The vendor did not answer in time.",
  unreadable:
    "The sealed key does not open for this upstream and these settings. Enter the vendor key again.",
  not_allowed: "The upstream's address is not one that vendor keys are sent to.",
  no_probe: "The catalogue knows no harmless request to this vendor.",
} as const;

export type ProbeVerdict = keyof typeof PROBE_VERDICTS;

/** All that leaves the data plane of a try: no body, no header, no exact status. */
export interface ProbeResult {
  readonly verdict: ProbeVerdict;
  /** 2 for 2xx and so on; null without an answer. */
  readonly statusClass: number | null;
  readonly latencyMs: number;
}

const orderSchema = z.strictObject({
  format: z.literal(1),
  organizationId: z.string().check(z.minLength(1), z.maxLength(64)),
  integration: integrationSchema,
  catalogue: z.string().check(z.regex(/^[a-z0-9-]{1,63}$/)),
});

/** @throws when a member is not of its form. */
export function encodeProbeOrder(order: ProbeOrder): string {
  return JSON.stringify(orderSchema.parse(order));
}

/** Strict, as a policy snapshot is read. @throws TypeError when it cannot be read. */
export function decodeProbeOrder(text: string): ProbeOrder {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError("The order is not JSON.");
  }
  const parsed = orderSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TypeError(`The order cannot be read: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}
