import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import type { SqlBackend, StatementResult, TransactionMode } from "./backend.ts";

/** Where Workers reach the database over HTTP. */
export interface SqlEndpoint {
  /** `http://127.0.0.1:PORT/sql` */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1_024 * 1_024;

const value = z.union([z.string(), z.null(), z.number(), z.boolean()]);
const statement = z.object({ query: z.string().min(1), params: z.array(value).default([]) });
const body = z.union([statement, z.object({ queries: z.array(statement) })]);

const isolationLevels: Record<string, TransactionMode["isolation"]> = {
  readuncommitted: "read uncommitted",
  readcommitted: "read committed",
  repeatableread: "repeatable read",
  serializable: "serializable",
};

/**
 * Serves the HTTP protocol of Neon's serverless driver in front of any PostgreSQL: `POST /sql` with one statement, or
 * with several that run in one transaction. Loopback only, and only for callers that know the password.
 *
 * @param password must be the password in the caller's connection string.
 */
export async function startSqlEndpoint(options: {
  readonly backend: SqlBackend;
  readonly password: string;
}): Promise<SqlEndpoint> {
  const server = createServer((request, response) => {
    answer(request, options).then(
      ({ status, json }) => {
        reply(response, status, json);
      },
      () => {
        reply(response, 500, { message: "The SQL endpoint failed." });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/sql`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

async function answer(
  request: IncomingMessage,
  options: { readonly backend: SqlBackend; readonly password: string },
): Promise<Answer> {
  if (request.method !== "POST" || request.url !== "/sql")
    return { status: 404, json: { message: "Not found" } };
  if (!knowsPassword(request.headers["neon-connection-string"], options.password)) {
    return { status: 401, json: { message: "password authentication failed", code: "28P01" } };
  }
  const text = await readBody(request);
  if (text === null) return { status: 413, json: { message: "The request is too large." } };
  const parsed = body.safeParse(parseJson(text));
  if (!parsed.success)
    return { status: 400, json: { message: "Malformed request: expected query and params." } };
  const statements = "queries" in parsed.data ? parsed.data.queries : [parsed.data];
  try {
    const results = await options.backend.run(
      statements.map(({ query, params }) => ({ query, params: params.map(asParameter) })),
      transactionMode(request),
    );
    const arrays = request.headers["neon-array-mode"] === "true";
    const shown = results.map((result) => present(result, arrays));
    return { status: 200, json: "queries" in parsed.data ? { results: shown } : shown[0] };
  } catch (error) {
    return { status: 400, json: presentError(error) };
  }
}

function present(result: StatementResult, arrays: boolean): unknown {
  const { command, rowCount, fields, rows } = result;
  const objects = (): unknown[] =>
    rows.map((row) => Object.fromEntries(fields.map(({ name }, index) => [name, row[index] ?? null])));
  return { command, rowCount, rowAsArray: arrays, fields, rows: arrays ? rows : objects() };
}

/** The members of PostgreSQL's error that the driver turns into a NeonDbError. */
function presentError(error: unknown): unknown {
  const report = error as Record<string, unknown>;
  const names = [
    "severity",
    "code",
    "detail",
    "hint",
    "position",
    "schema",
    "table",
    "column",
    "constraint",
    "routine",
  ];
  const members = names.flatMap((name) => (typeof report[name] === "string" ? [[name, report[name]]] : []));
  const message = error instanceof Error ? error.message : "The statement failed.";
  return { message, ...(Object.fromEntries(members) as Record<string, unknown>) };
}

function knowsPassword(header: string | string[] | undefined, password: string): boolean {
  if (typeof header !== "string" || !URL.canParse(header)) return false;
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(decodeURIComponent(new URL(header).password)), digest(password));
}

function transactionMode(request: IncomingMessage): TransactionMode {
  const level = String(request.headers["neon-batch-isolation-level"] ?? "").toLowerCase();
  return {
    isolation: isolationLevels[level.replaceAll(/[^a-z]/g, "")] ?? null,
    readOnly: request.headers["neon-batch-read-only"] === "true",
  };
}

function asParameter(parameter: z.infer<typeof value>): string | null {
  return parameter === null ? null : String(parameter);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(json));
}
