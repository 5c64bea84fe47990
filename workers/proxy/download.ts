import { concatBytes } from "@relaykey/core/bytes";
import { createScrubber } from "@relaykey/core/scrub/scrubber";
import type { Scrubber } from "@relaykey/core/scrub/scrubber";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { declaredLength } from "./upload.ts";

/** How a response body ended, for the audit event. */
export interface BodyEnd {
  readonly outcome: AuditEvent["outcome"];
  readonly bytes: number;
}

/** A response body on its way down, and the promise of how it ends. */
export interface Download {
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
  readonly end: Promise<BodyEnd>;
  /** Ends the body in a way the caller cannot take for its natural end. */
  cut(): void;
}

/** A body that needs no watching: nothing of it is on its way any more. */
function atHand(body: Uint8Array | null): Download {
  const end = Promise.resolve({ outcome: "completed", bytes: body?.byteLength ?? 0 } as const);
  return { body, end, cut: () => undefined };
}

/**
 * Relays a response body chunk by chunk as it arrives, with the vendor key blotted out. Nothing is gathered: one chunk is
 * in flight, the vendor is read no faster than the caller reads, and only bytes that may be a part of the key are held
 * back. A body that is there whole with its first chunk is handed on as it is.
 *
 * @param matcher what to look for; null: nothing.
 */
export async function relayBody(
  response: Response,
  method: string,
  caller: AbortSignal,
  matcher: SecretMatcher | null,
): Promise<Download> {
  if (response.body === null || method === "HEAD") return atHand(null);
  const length = response.headers.has("content-encoding") ? null : declaredLength(response.headers);
  if (length === 0) return atHand(null);
  const scrubber = matcher === null ? null : createScrubber(matcher, { keepLength: length !== null });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  // A body of announced length is answered with its first bytes, one without (an event stream) before them.
  const first = length === null ? null : reader.read();
  const state = { cut: false };
  if (length !== null && first !== null && length <= MAX_AT_HAND) {
    const chunk = await first.catch(() => null);
    if (chunk?.value?.byteLength === length) {
      // Read to its end, so that the connection can serve the next request.
      await reader.read().catch(() => undefined);
      return atHand(scrubWhole(scrubber, chunk.value));
    }
  }
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  const writer = writable.getWriter();
  // Both halves fail when the body is cut or the caller leaves; the pump reports it, nobody else needs to.
  writer.closed.catch(() => undefined);
  reader.closed.catch(() => undefined);
  const cut = (): void => {
    state.cut = true;
    const reason = new Error("The key is no longer allowed to read this response.");
    writer.abort(reason).catch(() => undefined);
    reader.cancel(reason).catch(() => undefined);
  };
  return { body: readable, end: pump(reader, writer, first, scrubber, state, caller), cut };
}

/** Larger bodies come in several chunks anyway. */
const MAX_AT_HAND = 65_536;

function scrubWhole(scrubber: Scrubber | null, bytes: Uint8Array): Uint8Array {
  if (scrubber === null) return bytes;
  const passed = scrubber.push(bytes);
  if (passed === bytes) return bytes;
  return concatBytes(passed, scrubber.end());
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  first: Promise<ReadableStreamReadResult<Uint8Array>> | null,
  scrubber: Scrubber | null,
  state: { readonly cut: boolean },
  caller: AbortSignal,
): Promise<BodyEnd> {
  let bytes = 0;
  const ended = (outcome: AuditEvent["outcome"]): BodyEnd => ({
    outcome: state.cut ? "cut" : outcome,
    bytes,
  });
  const write = async (part: Uint8Array): Promise<void> => {
    if (part.byteLength === 0) return;
    const { byteLength } = part;
    await writer.write(part);
    bytes += byteLength;
  };
  let next = first;
  for (;;) {
    let chunk: ReadableStreamReadResult<Uint8Array>;
    try {
      chunk = await (next ?? reader.read());
      next = null;
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
      // A caller that hangs up ends the upstream call too: whose end it was, its signal tells.
      return ended(caller.aborted ? "client_disconnected" : "upstream_failed");
    }
    try {
      if (chunk.done) {
        if (scrubber !== null) await write(scrubber.end());
        await writer.close();
        return ended("completed");
      }
      await write(scrubber === null ? chunk.value : scrubber.push(chunk.value));
    } catch (error) {
      // The caller hung up: stop the vendor from producing what nobody reads.
      await reader.cancel(error).catch(() => undefined);
      return ended("client_disconnected");
    }
  }
}
