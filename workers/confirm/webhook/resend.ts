import * as z from "zod/mini";
import { isId } from "@relaykey/core/ids";
import type { MailFailure } from "@relaykey/core/notice";
import type { Dependencies } from "../config.ts";
import { log } from "@relaykey/core/log";
import { reportFailure } from "../mail/failure.ts";
import type { Addressee } from "../mail/transports/transport.ts";
import { verifyDelivery } from "./signature.ts";

/** Larger than any event of theirs. */
const LIMIT_BYTES = 262_144;

const text = z.string();
const tagList = z.array(z.object({ name: text, value: text }));
const schema = z.object({
  type: text,
  data: z.object({
    to: z.array(text),
    bounce: z.optional(z.object({ type: z.optional(text) })),
    // A list as the API takes it, or an object as their webhooks show it.
    tags: z.optional(z.union([tagList, z.record(text, text)])),
  }),
});
type Event = z.infer<typeof schema>;

/**
 * What Resend tells of mail that did not arrive. The addressee stands in the tags that the mail was sent with; a mail
 * that was not to a key holder has none, and is only logged.
 */
export async function receiveResendEvent(
  request: Request,
  deps: Dependencies,
  now: number,
): Promise<Response> {
  if (deps.webhookSecret === null) {
    return problem(503, "RESEND_WEBHOOK_SECRET is missing: set it as a secret of this Worker.");
  }
  if (!(Number(request.headers.get("content-length") ?? Number.NaN) <= LIMIT_BYTES)) {
    return problem(413, "The event is too large, or its size is not said.");
  }
  const verified = await verifyDelivery(request.headers, await request.text(), deps.webhookSecret, now);
  if (verified === null) {
    log("warn", "webhook_refused");
    return problem(401, "The signature does not fit, or the delivery is too old.");
  }
  const event = parse(verified.body);
  if (event === null) return problem(400, "This is not an event of Resend's.");
  const reason = failureOf(event);
  if (reason === null) return new Response(null, { status: 204 });
  const addressee = addresseeOf(event);
  log("warn", "mail_not_delivered", { reason, holder_id: addressee?.holderId ?? null });
  const [address] = event.data.to;
  if (addressee !== null && address !== undefined) {
    await reportFailure(deps, addressee, { id: verified.id, reason, address, at: now });
  }
  return new Response(null, { status: 204 });
}

function parse(body: string): Event | null {
  try {
    const parsed = schema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** @returns null for what is no failure: sent, delivered, opened … */
function failureOf({ type, data }: Event): MailFailure | null {
  switch (type) {
    case "email.bounced":
      // A full mailbox is one tomorrow no more.
      return data.bounce?.type?.toLowerCase() === "transient" ? "undelivered" : "bounced";
    case "email.complained":
      return "complained";
    case "email.suppressed":
      return "bounced";
    case "email.failed":
      return "undelivered";
    default:
      return null;
  }
}

function addresseeOf({ data: { tags = {} } }: Event): Addressee | null {
  const byName = Array.isArray(tags)
    ? Object.fromEntries(tags.map(({ name, value }) => [name, value]))
    : tags;
  const organizationId = byName["organization_id"] ?? "";
  const holderId = byName["holder_id"] ?? "";
  return isId(organizationId) && isId(holderId) ? { organizationId, holderId } : null;
}

function problem(status: number, detail: string): Response {
  return Response.json({ title: "The event was not taken", status, detail }, { status });
}
