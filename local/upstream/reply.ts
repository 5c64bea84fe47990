/** Milliseconds between two events of a demo stream: slow enough to be seen. */
const TICK_MS = 150;

/** Server-sent events, one at a time with a pause between them. */
export function eventStream(events: readonly (string | { event: string; data: unknown })[]): Response {
  const encoder = new TextEncoder();
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const event = events[next];
      if (event === undefined) {
        controller.close();
        return;
      }
      if (next > 0) await scheduler.wait(TICK_MS);
      next += 1;
      controller.enqueue(
        encoder.encode(
          typeof event === "string"
            ? `data: ${event}\n\n`
            : `event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`,
        ),
      );
    },
  });
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" },
  });
}

/** Audio as it is made: parts with a pause between them. */
export function spokenSlowly(parts: readonly string[]): Response {
  const encoder = new TextEncoder();
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = parts[next];
      if (part === undefined) {
        controller.close();
        return;
      }
      if (next > 0) await scheduler.wait(TICK_MS);
      next += 1;
      controller.enqueue(encoder.encode(part));
    },
  });
  return new Response(body, { headers: { "Content-Type": "audio/mpeg" } });
}

/** The file in a multipart form; null when there is none in that field. */
export async function uploaded(request: Request, field: string): Promise<File | null> {
  const form = await request.formData();
  const file: unknown = form.get(field);
  return file instanceof File ? file : null;
}

export function missingFile(field: string): Response {
  return Response.json({ error: { message: `${field} is missing` } }, { status: 400 });
}

/** A body that goes on until the caller leaves. */
export function endless(): Response {
  const encoder = new TextEncoder();
  let count = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (count > 0) await scheduler.wait(TICK_MS);
      count += 1;
      controller.enqueue(encoder.encode(`data: ${String(count)}\n\n`));
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Size and SHA-256 of a body, read as it arrives. */
export async function digestBody(request: Request): Promise<{ bytes: number; sha256: string }> {
  const digest = new crypto.DigestStream("SHA-256");
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  if (request.body === null) await digest.getWriter().close();
  else await request.body.pipeThrough(counter).pipeTo(digest);
  const sha256 = [...new Uint8Array(await digest.digest)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return { bytes, sha256 };
}
