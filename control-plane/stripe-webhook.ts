import * as z from "zod";
import { fromUtf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import { readLimited } from "./limited-body.ts";
import { isFromStripe } from "./service/billing/signature.ts";
import { applyStripeEvent } from "./service/billing/sync.ts";
import type { StripeEvent } from "./service/billing/sync.ts";
import type { ServiceDependencies } from "./service/dependencies.ts";

/** Where Stripe sends events to. */
export const STRIPE_WEBHOOK_PATH = "/webhooks/stripe";

const MAX_BODY_BYTES = 256 * 1_024;

/** What is read of an event; what else it says may be old by now, and is asked of Stripe. */
const eventBody = z.object({
  id: z.string().regex(/^evt_\w{1,100}$/),
  type: z.string().max(100),
  data: z.object({ object: z.object({ customer: z.unknown() }) }),
});

/**
 * Answers a delivery of Stripe. Anything but success has Stripe send it again, for three days; only what can never be
 * dealt with is refused for good.
 */
export async function answerStripe(request: Request, deps: ServiceDependencies): Promise<Response> {
  const { stripe } = deps;
  if (stripe === null) return answer(404, "not configured");
  if (request.method !== "POST") return answer(405, "POST only", { Allow: "POST" });
  // The raw body: it is what was signed.
  const body = await readLimited(request.body, MAX_BODY_BYTES);
  if (body === null) return answer(413, "too large");
  const header = request.headers.get("Stripe-Signature");
  if (!(await isFromStripe(header, body, stripe.webhookSecret, deps.now()))) {
    deps.log("warn", "stripe_event_refused");
    return answer(400, "the signature does not fit");
  }
  const event = readEvent(body);
  if (event === null) return answer(400, "not an event");
  const applied = await applyStripeEvent(deps, stripe, event);
  const result = applied.ok ? applied.value : applied.failure.code;
  deps.log(applied.ok ? "info" : "error", "stripe_event", { event: event.id, type: event.type, result });
  return applied.ok ? answer(200, result) : answer(503, result);
}

function readEvent(body: Bytes): StripeEvent | null {
  const event = eventBody.safeParse(parseJson(fromUtf8(body) ?? ""));
  if (!event.success) return null;
  const { id, type, data } = event.data;
  const { customer } = data.object;
  return { id, type, customerId: typeof customer === "string" ? customer : null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function answer(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...headers, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
  });
}
