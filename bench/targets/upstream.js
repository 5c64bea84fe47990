// The vendor of the benchmark: as little work as an answer can be.
const BODY = JSON.stringify({ object: "list", data: [{ id: "demo", object: "model", owned_by: "demo" }] });
const JSON_HEADERS = { "Content-Type": "application/json" };

export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/v1/bytes") return bytes(Number(searchParams.get("n")));
    if (pathname === "/v1/stream") return stream();
    return new Response(BODY, { headers: JSON_HEADERS });
  },
};

/** Bytes that look like text, in chunks, made as they are read. */
function bytes(n) {
  const chunk = new TextEncoder().encode("the quick brown fox jumps over the lazy dog \n".repeat(1_456));
  let left = n;
  return new Response(
    new ReadableStream({
      pull(controller) {
        if (left <= 0) return controller.close();
        const part = chunk.subarray(0, Math.min(left, chunk.length));
        left -= part.length;
        controller.enqueue(part.slice());
      },
    }),
    { headers: { "Content-Type": "text/plain" } },
  );
}

/** Two events: the first at once, the second after a second. */
function stream() {
  let sent = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (sent === 2) return controller.close();
        if (sent === 1) await scheduler.wait(1_000);
        sent += 1;
        controller.enqueue(new TextEncoder().encode(`data: ${sent}\n\n`));
      },
    }),
    { headers: { "Content-Type": "text/event-stream" } },
  );
}
