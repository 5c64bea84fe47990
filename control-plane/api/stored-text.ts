import type { FieldError } from "../service/outcome.ts";

const MESSAGE = "Leave out NUL characters and halves of surrogate pairs: no text holds them.";

/**
 * What PostgreSQL's `text` and UTF-8 cannot hold: NUL, and a surrogate without its other half, which JSON can spell. No schema
 * has to think of them; they are refused wherever they stand, also in names of members.
 *
 * @returns one entry for each string that holds one, by its path.
 */
export function unstorable(value: unknown, path: readonly string[] = []): FieldError[] {
  if (typeof value === "string") {
    return isStorable(value) ? [] : [{ field: path.join(".") || "body", message: MESSAGE }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    isStorable(name)
      ? unstorable(member, [...path, name])
      : [{ field: path.join(".") || "body", message: MESSAGE }],
  );
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}
