import type * as z from "zod";
import type { FieldError } from "../service/outcome.ts";
import type { ApiContext } from "./context.ts";
import { ApiError } from "./errors.ts";

const MAX_BODY_BYTES = 256 * 1_024;

/**
 * Reads the body as strict JSON.
 *
 * @throws ApiError when it is no JSON object, is too large, or does not fit the schema.
 */
export async function readBody<S extends z.ZodType>(context: ApiContext, schema: S): Promise<z.output<S>> {
  const type = context.req.header("Content-Type") ?? "";
  if (!/^application\/json(?: *;|$)/i.test(type)) throw new ApiError("media_type");
  return check(schema, parseObject(await readText(context)));
}

/**
 * Reads the query. A name that appears twice is refused: which one was meant?
 *
 * @throws ApiError when it does not fit the schema.
 */
export function readQuery<S extends z.ZodType>(context: ApiContext, schema: S): z.output<S> {
  const values = context.req.queries();
  const repeated = Object.keys(values).filter((name) => (values[name]?.length ?? 0) > 1);
  if (repeated.length > 0) {
    throw new ApiError(
      "invalid_request",
      repeated.map((field) => ({ field, message: "Give this parameter once." })),
    );
  }
  return check(schema, context.req.query());
}

async function readText(context: ApiContext): Promise<string> {
  const reader = context.req.raw.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (let size = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_BODY_BYTES) {
      await reader.cancel();
      throw new ApiError("body_too_large");
    }
    text += decode(() => decoder.decode(value, { stream: true }));
  }
  return text + decode(() => decoder.decode());
}

function decode(read: () => string): string {
  try {
    return read();
  } catch {
    throw new ApiError("malformed_json");
  }
}

function parseObject(text: string): object {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("malformed_json");
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("malformed_json");
  }
}

function check<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiError("invalid_request", parsed.error.issues.flatMap(fieldErrors));
}

/** One entry per wrong field: an issue about unknown members names each of them. */
function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  const names = issue.code === "unrecognized_keys" ? issue.keys : [null];
  return names.map((name) => ({
    field: (name === null ? path : [...path, name]).join(".") || "body",
    message: issue.message,
  }));
}
