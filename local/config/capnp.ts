/** A value of Cap'n Proto's text form (capnproto.org/language.html). A struct's `undefined` fields are left out. */
export type CapnpValue =
  | string
  | number
  | boolean
  | Embed
  | readonly CapnpValue[]
  | { readonly [field: string]: CapnpValue | undefined };

/** The contents of a file, read by workerd when it starts. */
export class Embed {
  readonly path: string;

  /** @param path absolute; workerd must be given `--import-path=/`. */
  constructor(path: string) {
    this.path = path;
  }
}

/** Writes a value in Cap'n Proto's text form. */
export function renderCapnp(value: CapnpValue, indent = ""): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Embed) return `embed ${quote(value.path)}`;
  const inner = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => inner + renderCapnp(item, inner)).join(",\n")}\n${indent}]`;
  }
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : [`${name} = ${renderCapnp(field, inner)}`],
  );
  return `(${fields.join(", ")})`;
}

function isList(value: CapnpValue): value is readonly CapnpValue[] {
  return Array.isArray(value);
}

/** Control characters as \xHH, which is the one numeric escape that the language has. */
function quote(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(
      // eslint-disable-next-line no-control-regex -- they are what is being escaped
      /[\u0000-\u001f\u007f]/g,
      (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  return `"${escaped}"`;
}
