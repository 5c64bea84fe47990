import { data } from "@remix-run/cloudflare";
import { readLimited } from "../../limited-body.ts";
import { FORM_TOO_LARGE, FORM_UNREADABLE } from "../components/failure.ts";

const MAX_FORM_BYTES = 1_048_576;

/** The field that a vendor key is typed into, in every form that has one. */
const VENDOR_KEY = "secret";

/** The fields of a form that was sent. An absent field is an empty one. */
export class FormValues {
  readonly #data: FormData;

  constructor(data: FormData) {
    this.#data = data;
  }

  /** Without the white space around it, which people paste. */
  text(name: string): string {
    return this.raw(name).trim();
  }

  /** As it was typed: for secrets, which must not be changed. */
  raw(name: string): string {
    const value = this.#data.get(name);
    return typeof value === "string" ? value : "";
  }

  /** null when nothing was typed. */
  optional(name: string): string | null {
    const text = this.text(name);
    return text === "" ? null : text;
  }

  /** Whether a checkbox is ticked. */
  flag(name: string): boolean {
    return this.#data.has(name);
  }

  /** All values of a name, such as of a group of checkboxes. */
  all(name: string): string[] {
    return this.#data.getAll(name).filter((value) => typeof value === "string");
  }

  /**
   * What was typed, to fill the form again when it comes back. A vendor key is never part of it, whichever form it was sent with.
   *
   * @param without other fields that are left out.
   */
  echo(...without: readonly string[]): Record<string, string> {
    const values: Record<string, string> = {};
    for (const [name, value] of this.#data) {
      if (typeof value === "string" && name !== VENDOR_KEY && !without.includes(name)) values[name] = value;
    }
    return values;
  }

  /** The entries of a text area, one a line. */
  lines(name: string): string[] {
    return this.text(name)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }
}

/** @throws the page that says that what was sent is no form, or is too large. */
export async function readForm(request: Request): Promise<FormValues> {
  const body = await readLimited(request.body, MAX_FORM_BYTES);
  // Remix takes thrown data for the answer.
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how an action shows another page
  if (body === null) throw data(FORM_TOO_LARGE, { status: 413 });
  const type = request.headers.get("Content-Type") ?? "";
  try {
    return new FormValues(await new Response(body, { headers: { "Content-Type": type } }).formData());
  } catch {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as above
    throw data(FORM_UNREADABLE, { status: 400 });
  }
}
