import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A webhook receiver on loopback: keeps what it gets, and answers what it is told to. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** The next answers, in order; then 204. */
  readonly answers: { readonly status: number; readonly headers?: Record<string, string> }[];
  /** Awaited before each answer. */
  before: () => Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: Receiver["answers"] = [];
  const receiver = { before: () => Promise.resolve() };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body,
      });
      void receiver.before().then(() => {
        const { status, headers = {} } = answers.shift() ?? { status: 204 };
        response.writeHead(status, headers);
        response.end(status === 204 ? undefined : "what the receiver says");
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${String(port)}/hooks`,
    received,
    answers,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  });
}
