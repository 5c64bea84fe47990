/** A request body on its way up: streamed, counted, capped, never buffered. */
export interface Upload {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Bytes of the body: the declared length, or what was counted so far. */
  bytes(): number;
  /** The body turned out longer than the cap; the exchange fails then. */
  tooLarge(): boolean;
}

/**
 * A body of declared length is handed on as it is, so that the vendor sees the same Content-Length and workerd moves
 * the bytes without this code. A body of unknown length is counted as it passes.
 */
export function meterUpload(request: Request, maxBytes: number | null): Upload {
  const declared = declaredLength(request.headers);
  if (request.body === null || declared !== null) {
    return { body: request.body, bytes: () => declared ?? 0, tooLarge: () => false };
  }
  let bytes = 0;
  let tooLarge = false;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (maxBytes !== null && bytes > maxBytes) {
        tooLarge = true;
        controller.error(new RangeError("The request body is longer than this key allows."));
        return;
      }
      controller.enqueue(chunk);
    },
  });
  return { body: request.body.pipeThrough(counter), bytes: () => bytes, tooLarge: () => tooLarge };
}

/** Content-Length as a number of bytes; null when absent or not a plain decimal (RFC 9110 §8.6). */
export function declaredLength(headers: Headers): number | null {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
