/** JSON that also carries what KV and queues do: `{"$bytes": base64}`, `{"$date": ISO}`, `{"$stream": text}`. */
export function fromWire(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    const [[kind, content] = ["", ""]] = Object.entries(value) as [string, string][];
    switch (kind) {
      case "$bytes":
        return Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      case "$date":
        return new Date(content);
      case "$stream":
        return new Response(content).body;
      default:
        return value;
    }
  });
}

/** Streams are read to their end; a Map becomes `{"$map": [[key, value]]}`. */
export async function toWire(value: unknown): Promise<string> {
  return JSON.stringify(await tagged(value));
}

async function tagged(value: unknown): Promise<unknown> {
  if (value instanceof ReadableStream) return { $stream: await new Response(value).text() };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Map) return { $map: await tagged([...(value as Map<unknown, unknown>)]) };
  if (value instanceof ArrayBuffer) return { $bytes: base64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    return { $bytes: base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (Array.isArray(value)) return Promise.all(value.map(tagged));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(async ([name, field]) => [name, await tagged(field)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
