import type { Context } from "hono";
import type { Caller } from "../service/caller.ts";
import type { Outcome } from "../service/outcome.ts";
import { problem } from "./errors.ts";

/** What every handler of the API finds in its context. */
export interface ApiEnv {
  Bindings: {
    readonly requestId: string;
    /** The caller's canonical address; null when it cannot be told. */
    readonly ip: string | null;
  };
  Variables: {
    /** Who is asking; set once the token is verified. */
    caller: Caller;
    isBootstrap: boolean;
  };
}

export type ApiContext = Context<ApiEnv>;

/** Answers with what the service returned: `present` makes the JSON of a success, a refusal becomes a problem. */
export function answer<T>(
  context: ApiContext,
  outcome: Outcome<T>,
  present: (value: T) => { readonly json: unknown; readonly status?: 200 | 201 | 202 },
): Response {
  if (!outcome.ok) {
    return problem(outcome.failure, { url: context.req.url, requestId: context.env.requestId });
  }
  const { json, status = 200 } = present(outcome.value);
  return reply(json, status);
}

/** A success. Nothing the API says is for a cache. */
export function reply(json: unknown, status: 200 | 201 | 202 = 200): Response {
  return Response.json(json, { status, headers: { "Cache-Control": "no-store" } });
}

/** Pending enforcement is accepted (202), not done. */
export function statusOf(
  enforcement: { readonly state: "enforced" | "pending" },
  done: 200 | 201 = 200,
): 200 | 201 | 202 {
  return enforcement.state === "pending" ? 202 : done;
}
