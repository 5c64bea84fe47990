import { fromAnyBase64, fromUtf8 } from "@relaykey/core/bytes";
import type { DeliveredMessage } from "../config.ts";

/** Limits of Cloudflare Queues (developers.cloudflare.com/queues/platform/limits). */
export const MAX_MESSAGE_BYTES = 128_000;
export const MAX_BATCH_MESSAGES = 100;
export const MAX_BATCH_BYTES = 256_000;
const MAX_DELAY_SECONDS = 86_400;

const CONTENT_TYPES = ["text", "json", "bytes", "v8"] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

/** A message on its way into a queue. */
export interface NewMessage {
  readonly id: string;
  readonly sentAt: number;
  readonly contentType: ContentType;
  readonly body: ArrayBuffer;
  readonly delayMs: number;
}

/** The producer sent something that Queues would refuse too. */
export class MessageError extends Error {
  override readonly name = "MessageError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @throws MessageError */
export function newMessage(body: ArrayBuffer, contentType: string | null, delaySeconds: unknown): NewMessage {
  if (body.byteLength > MAX_MESSAGE_BYTES) {
    throw new MessageError(413, `A message has at most ${String(MAX_MESSAGE_BYTES)} bytes.`);
  }
  // "v8" is what workerd means when it names no format.
  const type = CONTENT_TYPES.find((name) => name === (contentType ?? "v8"));
  if (type === undefined) throw new MessageError(400, "The content type must be text, json, bytes or v8.");
  const delay = Number(delaySeconds ?? 0);
  if (!Number.isInteger(delay) || delay < 0 || delay > MAX_DELAY_SECONDS) {
    throw new MessageError(400, "The delay must be a whole number of seconds, at most 86400.");
  }
  return { id: crypto.randomUUID(), sentAt: Date.now(), contentType: type, body, delayMs: delay * 1_000 };
}

/**
 * Reads the body of `POST /batch`: `{messages: [{body: base64, contentType, delaySecs}]}`.
 *
 * @throws MessageError
 */
export function newBatch(text: string, delaySeconds: unknown): NewMessage[] {
  const messages = (JSON.parse(text) as { messages?: unknown }).messages;
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > MAX_BATCH_MESSAGES) {
    throw new MessageError(413, `A batch has 1 to ${String(MAX_BATCH_MESSAGES)} messages.`);
  }
  const batch = messages.map((message: { body?: unknown; contentType?: unknown; delaySecs?: unknown }) => {
    const body = typeof message.body === "string" ? fromAnyBase64(message.body) : null;
    if (body === null) throw new MessageError(400, "The body of a message in a batch must be base64.");
    const contentType = typeof message.contentType === "string" ? message.contentType : null;
    return newMessage(body.buffer, contentType, message.delaySecs ?? delaySeconds);
  });
  if (batch.reduce((bytes, { body }) => bytes + body.byteLength, 0) > MAX_BATCH_BYTES) {
    throw new MessageError(413, `A batch has at most ${String(MAX_BATCH_BYTES)} bytes.`);
  }
  return batch;
}

/** The body as `queue()` hands it to the consumer. An unreadable one goes as bytes: the consumer refuses it, not we. */
export function deliveredBody(
  contentType: ContentType,
  body: ArrayBuffer,
): Pick<DeliveredMessage, "body" | "serializedBody"> {
  if (contentType === "v8") return { serializedBody: body };
  if (contentType === "bytes") return { body };
  const text = fromUtf8(new Uint8Array(body));
  if (text === null) return { body };
  if (contentType === "text") return { body: text };
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return { body };
  }
}
