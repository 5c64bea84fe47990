import type * as z from "zod";

/** What JSON has to hold, in words. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const UNITS: Readonly<Record<string, string>> = {
  string: " characters",
  array: " entries",
  object: " members",
  record: " members",
};

/**
 * What would be right, where a schema does not say it in words of its own: the library's words tell what is wrong, in the
 * language of whoever wrote the schema.
 */
export function wording(issue: Parameters<z.core.$ZodErrorMap>[0]): string {
  switch (issue.code) {
    case "invalid_type":
      return `Give ${KINDS[issue.expected] ?? "a value of another type"}.`;
    case "invalid_value":
      return oneOf(issue.values);
    case "too_small":
      return `Give at least ${String(issue.minimum)}${UNITS[issue.origin] ?? ""}.`;
    case "too_big":
      return `Give at most ${String(issue.maximum)}${UNITS[issue.origin] ?? ""}.`;
    case "invalid_union":
      return Array.isArray(issue.options)
        ? oneOf(issue.options)
        : "Give one of the forms that the reference shows.";
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return "Give what the reference shows.";
  }
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map(String);
  return texts.length === 1 ? `Give ${texts.join("")}.` : `Give one of: ${texts.join(", ")}.`;
}
