import { CLI_USER_AGENT } from "@relaykey/core/client-name";
import type { Secret } from "@relaykey/core/secret";
import type { Connection } from "./connection.ts";
import { Failure } from "./failure.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A JSON object from the API. */
export type Json = Readonly<Record<string, unknown>>;

/** What the API answers to an error (RFC 9457). */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** A call that the API refused. */
export class Refusal extends Failure {
  readonly code: string;

  /** @param asked the path that was called, without its query. */
  constructor(problem: Problem, asked: string) {
    const fields = (problem.errors ?? []).map(({ field, message }) => `\n  ${field}: ${message}`).join("");
    // A command may ask for several things: which of them is missing has to be said.
    const title = problem.code === "not_found" ? `${problem.title}: ${asked.slice(1)}` : problem.title;
    super(`${title}. ${problem.detail}${fields}`, 1, problem);
    this.code = problem.code;
  }
}

/** A call that was not answered: it may have been carried out, or not. */
export class Unanswered extends Failure {}

/** Longer than the API itself waits for a change to be enforced. */
const TIMEOUT_MS = 60_000;

type Caller = Pick<Connection, "url"> & { readonly token: Secret | null };

/**
 * Calls the management API.
 *
 * @throws Refusal when it says no, Unanswered when it cannot be reached.
 */
export async function call(connection: Caller, method: Method, path: string, body?: object): Promise<Json> {
  let response: Response;
  let text: string;
  try {
    response = await send(connection, method, path, body, AbortSignal.timeout(TIMEOUT_MS));
    text = await response.text();
  } catch (error) {
    throw away(connection, method, error);
  }
  const answer = parse(text);
  if (response.ok && answer !== null) return answer;
  throw refused(connection, path, response, answer);
}

/**
 * Reads an answer that is written while it is read. It may take as long as it takes, but not pause for long.
 *
 * @throws Refusal when the API says no, Unanswered when it cannot be reached or breaks off.
 */
export async function* stream(connection: Caller, path: string): AsyncGenerator<Uint8Array, void> {
  const idle = new AbortController();
  const timer = setTimeout(() => {
    idle.abort(new DOMException("nothing came", "TimeoutError"));
  }, TIMEOUT_MS);
  try {
    const response = await send(connection, "GET", path, undefined, idle.signal);
    if (!response.ok || response.body === null) {
      throw refused(connection, path, response, parse(await response.text()));
    }
    for await (const chunk of response.body) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Failure ? error : away(connection, "GET", error);
  } finally {
    clearTimeout(timer);
    idle.abort();
  }
}

function send(
  { url, token }: Caller,
  method: Method,
  path: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      "User-Agent": CLI_USER_AGENT,
      ...(token === null ? {} : { Authorization: `Bearer ${token.reveal()}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: "error",
    signal,
  });
}

function away({ url }: Caller, method: Method, error: unknown): Unanswered {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new Unanswered(
    `${url} ${late ? "did not answer in time" : "cannot be reached"}. Is RelayKey running there? ` +
      (method === "GET" ? "" : "Look before you repeat the command: it may have been carried out."),
  );
}

function refused({ url }: Caller, path: string, response: Response, answer: Json | null): Failure {
  return isProblem(answer)
    ? new Refusal(answer, path.replace(/\?.*/, ""))
    : new Failure(`${url} answered ${String(response.status)}, and not as RelayKey does: check the URL.`);
}

/** A query from what was given. */
export function query(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}

function isProblem(value: Json | null): value is Json & Problem {
  return typeof value?.["code"] === "string" && typeof value["title"] === "string";
}
