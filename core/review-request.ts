import * as z from "zod/mini";
import { parseEmail } from "./email.ts";

/**
 * Somebody asks where their keys work, and says which address their mail goes to. The confirm Worker knows no addresses: it
 * hands this to the control plane by the queue `relaykey-notices`, and answers before anybody has looked.
 */
export interface ReviewRequest {
  readonly v: 1;
  readonly kind: "review_request";
  /** In the form of core/email. */
  readonly email: string;
  /** Who asks, as core/ip counts; null: not known. */
  readonly network: string | null;
  /** Epoch ms. */
  readonly at: number;
}

const schema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("review_request"),
  email: z.string().check(z.refine((text) => parseEmail(text)?.address === text, "not an address")),
  network: z.nullable(z.string().check(z.maxLength(64))),
  at: z.int().check(z.minimum(0)),
});

export function encodeReviewRequest(request: ReviewRequest): string {
  return JSON.stringify(schema.parse(request));
}

/** @returns null when the text is no request of this format. */
export function decodeReviewRequest(text: string): ReviewRequest | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
