import type { Secret } from "@relaykey/core/secret";
import type { Connection } from "./connection.ts";
import { Failure } from "./failure.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

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

  constructor(problem: Problem) {
    const fields = (problem.errors ?? []).map(({ field, message }) => `\n  ${field}: ${message}`).join("");
    super(`${problem.title}. ${problem.detail}${fields}`, 1, problem);
    this.code = problem.code;
  }
}

/** Longer than the API itself waits for a change to be enforced. */
const TIMEOUT_MS = 60_000;
const USER_AGENT = "rk/0.1.0";

/**
 * Calls the management API.
 *
 * @throws Refusal when it says no, Failure when it cannot be reached.
 */
export async function call(
  connection: Pick<Connection, "url"> & { readonly token: Secret | null },
  method: Method,
  path: string,
  body?: object,
): Promise<Json> {
  const url = `${connection.url}/api/v1${path}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: {
        "User-Agent": USER_AGENT,
        ...(connection.token === null ? {} : { Authorization: `Bearer ${connection.token.reveal()}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Failure(
      `${connection.url} ${late ? "did not answer in time" : "cannot be reached"}. Is RelayKey running there? ` +
        (method === "GET" ? "" : "Look before you repeat the command: it may have been carried out."),
    );
  }
  const answer = parse(text);
  if (response.ok && answer !== null) return answer;
  if (isProblem(answer)) throw new Refusal(answer);
  throw new Failure(
    `${connection.url} answered ${String(response.status)}, and not as RelayKey does: check the URL.`,
  );
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
