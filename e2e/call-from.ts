import http from "node:http";

/** The address of a trusted proxy: the only one that is. */
export const FRONT = "127.0.0.9";

/** A `fetch` as a front in the shared stack passes it on that had it from this client. */
export function fetchFor(client: string): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init);
    request.headers.append("X-Forwarded-For", client);
    return fetchFrom(FRONT)(request);
  };
}

/** A `fetch` whose connections come from this loopback address: another client, as far as anybody can tell. */
export function fetchFrom(localAddress: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = Buffer.from(await request.arrayBuffer());
    return new Promise((resolve, reject) => {
      const outgoing = http.request(
        request.url,
        {
          method: request.method,
          // Loopback addresses but 127.0.0.1 reach only IPv4 listeners.
          family: 4,
          localAddress,
          headers: {
            ...Object.fromEntries(request.headers),
            ...(body.length === 0 ? {} : { "content-length": body.length }),
          },
          agent: false,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
              values.map((value): [string, string] => [name, value]),
            );
            resolve(new Response(Buffer.concat(chunks), { status: incoming.statusCode ?? 0, headers }));
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  };
}
