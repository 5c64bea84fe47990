import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A mail as it was posted. */
export interface Posted {
  readonly idempotencyKey: string | null;
  readonly status: number;
  readonly body: {
    readonly from: string;
    readonly to: readonly string[];
    readonly subject: string;
    readonly html: string;
    readonly text: string;
    readonly tags?: readonly { readonly name: string; readonly value: string }[];
  };
}

/** A server that answers `POST /emails` as Resend documents it. */
export interface ResendServer {
  readonly url: string;
  /** Every request for this address, whatever it was answered. */
  postedTo(address: string): Posted[];
  /** The next request for this address is answered so; as often as it was arranged. */
  answerNext(address: string, answer: Answer): void;
  /** All that ever arrived: request lines, header fields, bodies. */
  readonly wire: string[];
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** resend.com/docs/api-reference/errors */
function failure(statusCode: number, name: string, message: string, headers = {}): Answer {
  return { status: statusCode, body: { statusCode, name, message }, headers };
}

export const RATE_LIMITED = failure(429, "rate_limit_exceeded", "Too many requests.", {
  "ratelimit-limit": "2",
  "ratelimit-remaining": "0",
  "ratelimit-reset": "1",
  "retry-after": "1",
});

/** Starts one on a free port of this machine. */
export async function startResend(apiKey: string): Promise<ResendServer> {
  const posted: Posted[] = [];
  const wire: string[] = [];
  const arranged = new Map<string, Answer[]>();
  /** By idempotency key: what was accepted, and the id it got. */
  const accepted = new Map<string, { readonly text: string; readonly id: string }>();

  const judge = (request: IncomingMessage, text: string): Answer => {
    if (request.method !== "POST" || request.url !== "/emails") {
      return failure(404, "not_found", "The requested endpoint does not exist.");
    }
    const { authorization } = request.headers;
    if (authorization === undefined) return failure(401, "missing_api_key", "Missing API Key");
    if (authorization !== `Bearer ${apiKey}`) return failure(403, "invalid_api_key", "API key is invalid");
    const mail = JSON.parse(text) as Posted["body"];
    const next = arranged.get([mail.to].flat()[0] ?? "")?.shift();
    if (next !== undefined) return next;
    for (const name of ["from", "to", "subject"] as const) {
      if (!Object.hasOwn(mail, name)) {
        return failure(422, "missing_required_field", `Missing \`${name}\` field.`);
      }
    }
    const key = request.headers["idempotency-key"];
    if (typeof key !== "string") return { status: 200, body: { id: crypto.randomUUID() } };
    if (key.length < 1 || key.length > 256) {
      return failure(400, "invalid_idempotency_key", "The key must be between 1-256 chars.");
    }
    const before = accepted.get(key);
    if (before !== undefined && before.text !== text) {
      return failure(
        409,
        "invalid_idempotent_request",
        "Same idempotency key used with a different request payload.",
      );
    }
    const id = before?.id ?? crypto.randomUUID();
    accepted.set(key, { text, id });
    return { status: 200, body: { id } };
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      wire.push(`${request.method ?? ""} ${request.url ?? ""}`, ...request.rawHeaders, text);
      const { status, body, headers = {} } = judge(request, text);
      if (text !== "") {
        const key = request.headers["idempotency-key"];
        const mail = JSON.parse(text) as Posted["body"];
        posted.push({ idempotencyKey: typeof key === "string" ? key : null, status, body: mail });
      }
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    postedTo: (address) => posted.filter(({ body }) => [body.to].flat().includes(address)),
    answerNext: (address, answer) => {
      arranged.set(address, [...(arranged.get(address) ?? []), answer]);
    },
    wire,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
