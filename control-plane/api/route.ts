import * as z from "zod";
import type { Secret } from "@relaykey/core/secret";
import { ok } from "../service/outcome.ts";
import type { Outcome } from "../service/outcome.ts";
import type { Action } from "../service/authorization.ts";
import type { Caller } from "../service/caller.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import { ApiError } from "./errors.ts";
import type { ApiErrorCode } from "./errors.ts";
import { checkFields } from "./input.ts";
import { unstorable } from "./stored-text.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type SuccessStatus = 200 | 201 | 202;

/** The noun a reader finds an operation under. */
export type Tag =
  | "Organization"
  | "Members"
  | "Integrations"
  | "Custody"
  | "Holders"
  | "Keys"
  | "Tokens"
  | "Audit"
  | "Policy"
  | "Webhooks"
  | "Notices"
  | "Plan"
  | "Installation";

/** What an operation answers when it was done. */
export interface Reply<T> {
  readonly json: T;
  /** Absent: the first of the operation's statuses. */
  readonly status?: SuccessStatus;
  /** Of the thing that was read: makes the answer carry an ETag, and a later change conditional on it. */
  readonly revision?: number;
  /** What the ETag stands for; absent: all of `json`. */
  readonly validated?: unknown;
}

/** An answer that is written while it is read, such as an export. */
export interface Stream {
  readonly type: string;
  /** What a browser saves it as. */
  readonly fileName: string;
  readonly body: ReadableStream<Uint8Array>;
}

/** What a create made. */
export interface Made {
  readonly id: string;
  /** What its answer shows once; null: nothing. */
  readonly secret: Secret | null;
}

interface Described {
  readonly method: Method;
  /** Below `/api/v1`, parameters in braces: `/keys/{key}`. */
  readonly path: string;
  /** Names the operation in the document and in generated clients, such as "createKey". */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** Of success, the usual one first. */
  readonly statuses: readonly [SuccessStatus, ...SuccessStatus[]];
  /** Errors of its own: those of authentication, input and limits follow from the rest. */
  readonly errors?: readonly ApiErrorCode[];
  /** A create: an Idempotency-Key makes repeating it safe. Answers for what it made before. */
  readonly creates?: (call: {
    readonly deps: ServiceDependencies;
    readonly caller: Caller;
    readonly made: Made;
  }) => Promise<Outcome<Reply<unknown>>>;
  /** A change of what GET shows with an ETag (precondition.ts says which GET): If-Match makes it conditional. */
  readonly conditional?: true;
  /** An unsafe method that changes nothing of the organization all the same: it works something out, or repeats what is under way. */
  readonly changes?: "nothing";
  /** A body that passes. */
  readonly example?: unknown;
}

/** What a handler is given: all of it has passed the operation's schemas. */
export interface Call<P, Q, B> {
  readonly deps: ServiceDependencies;
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Of the thing that is to be changed, when the caller named its ETag; the change fails if it has moved on. */
  readonly expected: number | null;
}

interface Shapes<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
}

/** A request before its parts are checked. `body` is null where the operation takes none. */
export interface RawCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Who asks, and on what. `caller` is null on routes that need no token. */
export interface Asked {
  readonly deps: ServiceDependencies;
  readonly caller: Caller | null;
  readonly ip: string | null;
  readonly expected: number | null;
}

/** One operation of the API: the app, authorization, the OpenAPI document and the tests follow from it. */
export interface Route extends Described {
  /** What it takes, of ACTIONS; null: it needs no token. */
  readonly action: Action | null;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  readonly answer: z.ZodType | null;
  /** Media types of an answer that is a stream instead. */
  readonly streams: readonly string[];
  /**
   * Checks the parts of a request.
   *
   * @throws ApiError naming each wrong field.
   * @returns what does it.
   */
  readonly accept: (raw: RawCall) => (asked: Asked) => Promise<Outcome<Reply<unknown> | Stream>>;
}

const NO_FIELDS = z.strictObject({}, "This operation takes no parameters.");
const NO_BODY = z.null("This operation takes no body.");

/** Declares an operation that needs a management token. */
export function route<
  A extends z.ZodType,
  P extends z.ZodType = typeof NO_FIELDS,
  Q extends z.ZodType = typeof NO_FIELDS,
  B extends z.ZodType = typeof NO_BODY,
>(
  spec: Described &
    Shapes<P, Q, B> & {
      readonly action: Action;
      readonly answer: A;
      readonly handle: (
        call: Call<z.output<P>, z.output<Q>, z.output<B>>,
      ) => Promise<Outcome<Reply<z.output<A>>>>;
    },
): Route {
  return tokenRoute({ ...spec, streams: [] });
}

/** Declares an operation whose answer is a stream. */
export function streamRoute<P extends z.ZodType = typeof NO_FIELDS, Q extends z.ZodType = typeof NO_FIELDS>(
  spec: Described &
    Shapes<P, Q, typeof NO_BODY> & {
      readonly action: Action;
      readonly streams: readonly [string, ...string[]];
      readonly handle: (call: Call<z.output<P>, z.output<Q>, null>) => Promise<Outcome<Stream>>;
    },
): Route {
  return tokenRoute({ ...spec, answer: null });
}

/** Declares an operation that anybody may call. A test lists them, so that none comes about by accident. */
export function publicRoute<
  A extends z.ZodType,
  P extends z.ZodType = typeof NO_FIELDS,
  Q extends z.ZodType = typeof NO_FIELDS,
  B extends z.ZodType = typeof NO_BODY,
>(
  spec: Described &
    Shapes<P, Q, B> & {
      readonly answer: A;
      readonly handle: (
        call: Omit<Call<z.output<P>, z.output<Q>, z.output<B>>, "caller" | "expected"> & {
          readonly ip: string | null;
        },
      ) => Promise<Outcome<Reply<z.output<A>>>>;
    },
): Route {
  const { handle, ...described } = spec;
  return {
    ...described,
    ...shapes(spec),
    action: null,
    streams: [],
    accept: (raw) => {
      const parts = check(spec, raw);
      return ({ deps, ip }) => handle({ deps, ip, ...parts });
    },
  };
}

/** The secret of a create that shows one. */
export function secretOf({ secret }: Made): Secret {
  if (secret === null) throw new TypeError("A secret that is shown once was not kept.");
  return secret;
}

/** Turns what the service returned into an answer; a refusal passes as it is. */
export function answered<T, J>(outcome: Outcome<T>, present: (value: T) => Reply<J>): Outcome<Reply<J>> {
  return outcome.ok ? ok(present(outcome.value)) : outcome;
}

function tokenRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  spec: Described &
    Shapes<P, Q, B> & {
      readonly action: Action;
      readonly answer: z.ZodType | null;
      readonly streams: readonly string[];
      readonly handle: (
        call: Call<z.output<P>, z.output<Q>, z.output<B>>,
      ) => Promise<Outcome<Reply<unknown> | Stream>>;
    },
): Route {
  const { handle, ...described } = spec;
  return {
    ...described,
    ...shapes(spec),
    accept: (raw) => {
      const parts = check(spec, raw);
      return ({ deps, caller, expected }) => {
        if (caller === null) throw new TypeError(`${spec.id} was called by nobody.`);
        return handle({ deps, caller, expected, ...parts });
      };
    },
  };
}

function shapes({ params, query, body }: Shapes<z.ZodType, z.ZodType, z.ZodType>) {
  return { params: params ?? null, query: query ?? null, body: body ?? null };
}

function check<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  spec: Shapes<P, Q, B>,
  raw: RawCall,
): { readonly params: z.output<P>; readonly query: z.output<Q>; readonly body: z.output<B> } {
  // A part without a schema has the default of its type parameter, which is what these two say.
  return {
    params: checkParams(spec.params ?? (NO_FIELDS as unknown as P), raw.params),
    query: checkFields(spec.query ?? (NO_FIELDS as unknown as Q), raw.query),
    body: checkFields(spec.body ?? (NO_BODY as unknown as B), raw.body),
  };
}

/** What cannot name a thing names none. */
function checkParams<P extends z.ZodType>(schema: P, params: RawCall["params"]): z.output<P> {
  const parsed = schema.safeParse(params);
  if (!parsed.success || unstorable(params).length > 0) throw new ApiError("not_found");
  return parsed.data;
}
