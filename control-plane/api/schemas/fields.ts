import * as z from "zod";
import { isId } from "@relaykey/core/ids";
import { parseDuration } from "@relaykey/core/limits";
import type { PageRequest } from "../../service/page.ts";

/** An object in which every member that is not named is an error that lists the right names. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `Unknown field. The fields here are: ${known}.` : undefined,
  });
}

/** The same for a change: all members optional, and at least one of them given. */
export function change<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return strict(shape)
    .partial()
    .refine((value) => Object.keys(value).length > 0, {
      error: `Give at least one of: ${known}.`,
      // An object with unknown members only is wrong for their sake, not for being empty.
      when: ({ issues }) => issues.length === 0,
    });
}

/** A line of text for people: no control characters, no space around it. */
export const label = z
  .string("Give a text.")
  .min(1, "Give at least one character.")
  .max(100, "Give at most 100 characters.")
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, "Control characters are not allowed.")
  .refine((text) => text === text.trim(), "Remove the space around it.");

/** A name that is not mistaken for an id where either is accepted. */
export const name = label
  .refine((text) => !isId(text), "A name must not look like an id.")
  .refine((text) => !text.includes("/"), "A name must not hold a slash.");

/** An id or a name, to be looked up. */
export const reference = z.string("Give an id or a name.").min(1, "Give an id or a name.").max(100);

export const id = z.string().refine(isId, "Give an id, such as 01890a5d-ac96-774b-bcce-b302099a8057.");

/** RFC 3339, with its offset; in UTC, too, of a year that has four digits, as the database wants it. */
export const moment = z.iso
  .datetime({ offset: true, error: "Give a time such as 2027-01-31T12:00:00Z." })
  .transform((text) => new Date(text))
  .refine((time) => /^(?!0000)\d{4}-/.test(time.toISOString()), "Give a time of the years 1 to 9999.");

/** "30s", "15m", "2h", "7d" as milliseconds. */
export const duration = z.string("Give a duration such as 15m, 2h or 7d.").transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  context.addIssue({
    code: "custom",
    message: "Give a duration such as 30s, 15m, 2h or 7d, at most 36500d.",
  });
  return z.NEVER;
});

/** For schemas with both `expires_at` and `expires_in`. */
export const EXPIRY_TWICE = { path: ["expires_in"], message: "Give expires_at or expires_in, not both." };

interface Expiry {
  readonly expires_at?: Date | null | undefined;
  readonly expires_in?: number | undefined;
}

export function expiryOnce({ expires_at, expires_in }: Expiry): boolean {
  return expires_at === undefined || expires_in === undefined;
}

/** `expires_in` counts from `now` (epoch ms). */
export function expiry({ expires_at, expires_in }: Expiry, now: number): Date | null | undefined {
  return expires_in === undefined ? expires_at : new Date(now + expires_in);
}

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

/** The members of a list's query that every list has. */
export const page = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `Give a whole number from 1 to ${String(MAX_PAGE)}.`)
    .transform(Number)
    .refine((limit) => limit <= MAX_PAGE, `Give a whole number from 1 to ${String(MAX_PAGE)}.`)
    .default(DEFAULT_PAGE),
  cursor: z.string().refine(isId, "Give the next_cursor of the page before.").optional(),
};

/** Which part of a list a query asks for. */
export function pageRequest(query: {
  readonly limit: number;
  readonly cursor?: string | undefined;
}): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null };
}

/** A text without a line end, such as a vendor key. */
export const secretText = z
  .string("Give the vendor key as a text.")
  .min(1, "The vendor key is empty.")
  .max(8_192, "The vendor key is longer than 8192 characters.")
  .regex(/^[\x20-\x7e]+$/, "The vendor key holds a character that no header can carry; is it cut or wrapped?")
  .refine((text) => text === text.trim(), "The vendor key has space around it: remove it.");

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out members that are undefined: absent means "as it is". */
export function withoutAbsent<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
}
