import net from "node:net";

/** What came back on a raw connection. */
export interface RawAnswer {
  /** Of the first answer; 0 when the connection ended without one. */
  readonly status: number;
  /** All bytes that came back, as Latin-1. */
  readonly text: string;
  /** Whether the server ended the connection; false when it was given up on. */
  readonly ended: boolean;
}

const PATIENCE_MS = 8_000;

/** Sends bytes (a string is Latin-1: one character, one byte) as no client library would, and reads until the end. */
export async function sendRaw(
  origin: string,
  bytes: string | Buffer,
  patienceMs = PATIENCE_MS,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    });
    const finish = (ended: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("latin1");
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text, ended });
    };
    const timer = setTimeout(finish, patienceMs, false);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", () => {
      finish(true);
    });
    socket.on("error", () => {
      finish(true);
    });
  });
}

/** A request of one target, byte for byte, that ends its connection. */
export function request(method: string, target: string, fields: readonly string[], body = ""): string {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: proxy.test", "Connection: close", ...fields];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** The value of a field in a message head; null when it is not there. */
export function field(head: string, name: string): string | null {
  const prefix = `${name.toLowerCase()}:`;
  const line = head
    .split("\r\n\r\n")[0]
    ?.split("\r\n")
    .find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return line === undefined ? null : line.slice(prefix.length).trim();
}
