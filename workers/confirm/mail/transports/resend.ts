import * as z from "zod/mini";
import type { Secret } from "@relaykey/core/secret";
import { SENT, failed } from "./transport.ts";
import type { Delivery, Transport } from "./transport.ts";

const DEADLINE_MS = 15_000;
const LONGEST_RETRY_SECONDS = 900;
const errorSchema = z.object({ name: z.string() });

/** Their names of errors that the address, and nothing else, is the reason of. */
const ADDRESS_ERRORS: ReadonlySet<string> = new Set(["invalid_to_address", "invalid_recipient"]);

/**
 * Resend's API, without their SDK. The mail's id is the idempotency key: what was accepted once is not sent again for 24
 * hours, whatever our queue repeats. The addressee travels as tags, which their webhooks hand back.
 */
export function resendTransport(url: string, apiKey: Secret): Transport {
  return {
    async send(mail, addressee) {
      const { id, ...fields } = mail;
      const tags =
        addressee === null
          ? []
          : [
              { name: "organization_id", value: addressee.organizationId },
              { name: "holder_id", value: addressee.holderId },
            ];
      let response: Response;
      try {
        response = await fetch(`${url}/emails`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${apiKey.reveal()}`,
            "Content-Type": "application/json",
            "Idempotency-Key": id,
          },
          body: JSON.stringify({ ...fields, to: [fields.to], tags }),
          redirect: "manual",
          signal: AbortSignal.timeout(DEADLINE_MS),
        });
      } catch {
        return failed("unreachable");
      }
      return judge(response);
    },
  };
}

async function judge(response: Response): Promise<Delivery> {
  if (response.ok) {
    await response.body?.cancel();
    return SENT;
  }
  const name = await errorName(response);
  const detail = `${String(response.status)} ${name}`;
  // The same id was accepted before, with other words: the rendering has changed since. One mail is enough.
  if (name === "invalid_idempotent_request") return SENT;
  if (ADDRESS_ERRORS.has(name)) return { state: "refused", fault: "address", detail };
  if (response.status === 400 || response.status === 413 || response.status === 422) {
    return { state: "refused", fault: "mail", detail };
  }
  // 401 and 403 too: the operator can put right what is wrong with a key or a domain.
  const seconds = Number(response.headers.get("retry-after"));
  return failed(detail, seconds > 0 ? Math.min(Math.ceil(seconds), LONGEST_RETRY_SECONDS) : null);
}

async function errorName(response: Response): Promise<string> {
  try {
    const parsed = errorSchema.safeParse(await response.json());
    return parsed.success && /^[a-z_]{1,64}$/.test(parsed.data.name) ? parsed.data.name : "unnamed_error";
  } catch {
    return "unnamed_error";
  }
}
