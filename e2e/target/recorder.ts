import net from "node:net";

/** A request as it stood on the wire. Strings are Latin-1: one character, one byte. */
export interface Recorded {
  readonly method: string;
  readonly target: string;
  /** Request line and fields, without the empty line. */
  readonly head: string;
  readonly body: string;
  /** Fields by lower-case name, in order. */
  readonly fields: readonly (readonly [string, string])[];
}

/** An upstream that keeps the bytes of what reaches it. */
export interface Recorder {
  readonly origin: string;
  /** What arrived since the last call. */
  take(): Recorded[];
  /** Bytes that are no well-formed request, by connection. Always empty behind a sound proxy. */
  readonly garbage: string[];
  /** The answer to every request; `null` restores the default one. */
  answerWith(answer: string | null): void;
  close(): Promise<void>;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/**
 * Reads messages strictly (RFC 9112 §6): one framing, no obs-fold, no whitespace before colons, no chunk extensions. What
 * does not fit ends up in `garbage`, so that nothing a laxer server could take for a second request goes unseen.
 */
export async function startRecorder(): Promise<Recorder> {
  const seen: Recorded[] = [];
  const garbage: string[] = [];
  const sockets = new Set<net.Socket>();
  let answer = OK;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let pending = "";
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      for (;;) {
        const read = readRequest(pending);
        if (read === "more") return;
        if (read === "garbage") {
          garbage.push(pending);
          socket.destroy();
          return;
        }
        pending = pending.slice(read.length);
        seen.push(read.request);
        socket.write(Buffer.from(answer, "latin1"));
      }
    });
    socket.on("close", () => {
      sockets.delete(socket);
      if (pending !== "") garbage.push(pending);
      pending = "";
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as net.AddressInfo).port)}`,
    garbage,
    take: () => seen.splice(0),
    answerWith: (text) => {
      answer = text ?? OK;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function readRequest(text: string): { request: Recorded; length: number } | "more" | "garbage" {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return text.length > 100_000 ? "garbage" : "more";
  const head = text.slice(0, end);
  const [line = "", ...rows] = head.split("\r\n");
  const [, method = "", target = ""] = /^([^ ]+) ([^ ]+) HTTP\/1\.1$/.exec(line) ?? [];
  if (method === "") return "garbage";
  const fields: (readonly [string, string])[] = [];
  for (const row of rows) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/.exec(row);
    if (match === null) return "garbage";
    fields.push([(match[1] ?? "").toLowerCase(), (match[2] ?? "").trim()]);
  }
  const lengths = fields.filter(([name]) => name === "content-length").map(([, value]) => value);
  const codings = fields.filter(([name]) => name === "transfer-encoding").map(([, value]) => value);
  const framing = [...lengths, ...codings];
  if (framing.length > 1) return "garbage";
  const start = end + 4;
  const body =
    codings.length === 1
      ? codings[0] === "chunked"
        ? readChunks(text, start)
        : "garbage"
      : readLength(text, start, lengths[0] ?? "0");
  if (typeof body === "string") return body;
  return { request: { method, target, head, body: body.body, fields }, length: body.end };
}

function readLength(text: string, start: number, length: string): Body | "more" | "garbage" {
  if (!/^\d+$/.test(length)) return "garbage";
  const end = start + Number(length);
  return text.length < end ? "more" : { body: text.slice(start, end), end };
}

interface Body {
  readonly body: string;
  readonly end: number;
}

function readChunks(text: string, start: number): Body | "more" | "garbage" {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return "more";
    const size = text.slice(at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) return "garbage";
    const length = Number.parseInt(size, 16);
    const next = lineEnd + 2 + length;
    if (text.length < next + 2) return "more";
    // Ends the chunk, or, after the last one, the (empty) trailer section.
    if (text.slice(next, next + 2) !== "\r\n") return "garbage";
    body += text.slice(lineEnd + 2, next);
    at = next + 2;
    if (length === 0) return { body, end: at };
  }
}
