import type * as z from "zod";
import { fail, ok } from "../service/outcome.ts";
import type { FieldError, Outcome } from "../service/outcome.ts";
import { duplicateName } from "./duplicate-names.ts";
import { ApiError } from "./errors.ts";
import { MAX_DEPTH, isNestedTooDeep } from "./nesting.ts";
import { unstorable } from "./stored-text.ts";
import { wording } from "./wording.ts";

const MAX_BODY_BYTES = 256 * 1_024;

/** A body as it came and as it was read; the text is "" and the value null when there was none. */
export interface JsonBody {
  readonly text: string;
  readonly value: object | null;
}

/**
 * Reads the body as one strict JSON object. An empty body is none; so is an empty object where none is wanted.
 *
 * @param wanted whether the operation takes a body.
 * @throws ApiError when it is no JSON object or is too large.
 */
export async function readBody(request: Request, wanted: boolean): Promise<JsonBody> {
  const text = await readText(request);
  if (!wanted && /^\s*(?:\{\s*\})?\s*$/.test(text)) return { text: "", value: null };
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^application\/json(?: *;|$)/i.test(type)) throw new ApiError("media_type");
  return { text, value: parseObject(text) };
}

/**
 * Reads the query. A name that appears twice is refused: which one was meant?
 *
 * @throws ApiError naming each repeated parameter.
 */
export function readQuery(url: string): Record<string, string> {
  const parameters = new URL(url).searchParams;
  const repeated = [...new Set(parameters.keys())].filter((name) => parameters.getAll(name).length > 1);
  if (repeated.length > 0) {
    throw new ApiError(
      "invalid_request",
      repeated.map((field) => ({ field, message: "Give this parameter once." })),
    );
  }
  return Object.fromEntries(parameters);
}

/**
 * Checks a value against a schema.
 *
 * @throws ApiError naming each wrong field and what would be right.
 */
export function checkFields<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const checked = checkInput(schema, value);
  if (checked.ok) return checked.value;
  throw new ApiError("invalid_request", checked.failure.errors);
}

async function readText(request: Request): Promise<string> {
  const reader = request.body?.getReader();
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
  const field = duplicateName(text);
  if (field !== null) throw new ApiError("invalid_request", [{ field, message: "Give this member once." }]);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("malformed_json");
  }
}

/** The same for input that did not come as a request of the API: forms of the dashboard. */
export function checkInput<S extends z.ZodType>(schema: S, value: unknown): Outcome<z.output<S>> {
  if (isNestedTooDeep(value)) {
    const message = `Objects and lists lie in one another more than ${String(MAX_DEPTH)} deep: no input is.`;
    return fail("invalid_request", { errors: [{ field: "body", message }] });
  }
  const errors = unstorable(value);
  if (errors.length > 0) return fail("invalid_request", { errors });
  const parsed = schema.safeParse(value, { error: wording });
  return parsed.success
    ? ok(parsed.data)
    : fail("invalid_request", { errors: parsed.error.issues.flatMap((issue) => fieldErrors(issue)) });
}

/**
 * One entry per wrong field: an issue about unknown members names each of them, and one about several forms tells what is
 * wrong within the one that was meant.
 */
function fieldErrors(issue: z.core.$ZodIssue, within: readonly string[] = []): FieldError[] {
  const path = [...within, ...issue.path.map(String)];
  if (issue.code === "invalid_union") {
    const meant = issue.errors.filter((form) => form.every(isWithin));
    if (meant.length === 1) return meant.flat().flatMap((each) => fieldErrors(each, path));
  }
  const names = issue.code === "unrecognized_keys" ? issue.keys : [null];
  return names.map((name) => ({
    field: (name === null ? path : [...path, name]).join(".") || "body",
    message: issue.message,
  }));
}

/** Not about the type of the whole: another form may have the right one. */
function isWithin({ path, code }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}
