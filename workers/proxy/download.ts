import type { AuditEvent } from "@relaykey/core/audit-event";
import { declaredLength } from "./upload.ts";

/** How a response body ended, for the audit event. */
export interface BodyEnd {
  readonly outcome: AuditEvent["outcome"];
  readonly bytes: number;
}

/** A response body on its way down, and the promise of how it ends. */
export interface Download {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly end: Promise<BodyEnd>;
  /** Ends the body in a way the caller cannot take for its natural end. */
  cut(): void;
}

const EMPTY: Download = {
  body: null,
  end: Promise.resolve({ outcome: "completed", bytes: 0 }),
  cut: () => undefined,
};

/**
 * Relays a response body chunk by chunk as it arrives. Nothing is gathered: one chunk is in flight, and the vendor is
 * read no faster than the caller reads.
 */
export function relayBody(response: Response, method: string, caller: AbortSignal): Download {
  if (response.body === null || method === "HEAD") return EMPTY;
  const length = response.headers.has("content-encoding") ? null : declaredLength(response.headers);
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const writer = writable.getWriter();
  const state = { cut: false };
  // Both halves fail when the body is cut or the caller leaves; the pump reports it, nobody else needs to.
  writer.closed.catch(() => undefined);
  reader.closed.catch(() => undefined);

  const cut = (): void => {
    state.cut = true;
    const reason = new Error("The key is no longer allowed to read this response.");
    writer.abort(reason).catch(() => undefined);
    reader.cancel(reason).catch(() => undefined);
  };
  return { body: readable, end: pump(reader, writer, state, caller), cut };
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  state: { readonly cut: boolean },
  caller: AbortSignal,
): Promise<BodyEnd> {
  let bytes = 0;
  const ended = (outcome: AuditEvent["outcome"]): BodyEnd => ({
    outcome: state.cut ? "cut" : outcome,
    bytes,
  });
  for (;;) {
    let chunk: ReadableStreamReadResult<Uint8Array>;
    try {
      chunk = await reader.read();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
      // A caller that hangs up ends the upstream call too: whose end it was, its signal tells.
      return ended(caller.aborted ? "client_disconnected" : "upstream_failed");
    }
    try {
      if (chunk.done) {
        await writer.close();
        return ended("completed");
      }
      await writer.write(chunk.value);
      bytes += chunk.value.byteLength;
    } catch (error) {
      // The caller hung up: stop the vendor from producing what nobody reads.
      await reader.cancel(error).catch(() => undefined);
      return ended("client_disconnected");
    }
  }
}
