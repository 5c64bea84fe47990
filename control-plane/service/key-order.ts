import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from "@relaykey/core/bytes";
import { isId } from "@relaykey/core/ids";
import { readSort } from "@relaykey/core/key-sort";
import type { KeySort } from "@relaykey/core/key-sort";
import type { KeyPosition } from "@relaykey/db/queries/key-order";

/**
 * Where a page of a sorted list ended. It carries what the last key was sorted by: a key that is used meanwhile moves, and
 * the pages after it go on where they were.
 */
export function writeKeyCursor(sort: KeySort, position: KeyPosition): string {
  if (readSort(sort).by === "created") return position.id;
  return toBase64Url(utf8(JSON.stringify([position.value, position.id])));
}

/** @returns null for what is no cursor of this sort. */
export function readKeyCursor(sort: KeySort, cursor: string): KeyPosition | null {
  const { by } = readSort(sort);
  if (by === "created") return isId(cursor) ? { value: null, id: cursor } : null;
  const read = parse(fromUtf8(fromBase64Url(cursor) ?? new Uint8Array()) ?? "");
  if (!Array.isArray(read) || read.length !== 2) return null;
  const [value, id] = read as unknown[];
  if (typeof id !== "string" || !isId(id)) return null;
  if (value === null) return by === "name" || by === "use" ? null : { value, id };
  if (typeof value !== "string") return null;
  const isRight = by === "name" ? value.length <= MAX_NAME && !value.includes("\0") : NUMBER.test(value);
  return isRight ? { value, id } : null;
}

/** Some letters have more than one small letter. */
const MAX_NAME = 400;
/** Requests, or epoch ms within the years that a database knows. */
const NUMBER = /^\d{1,14}$/;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
