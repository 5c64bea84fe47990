import { SelectField } from "./field.tsx";

const HOUR_MS = 3_600_000;

/** How long what is replaced may still be used, or be brought back. */
const GRACE = {
  "0": { ms: 0, words: "no time" },
  "1h": { ms: HOUR_MS, words: "1 hour" },
  "1d": { ms: 24 * HOUR_MS, words: "1 day" },
  "7d": { ms: 168 * HOUR_MS, words: "7 days" },
} as const;

/** In ms. What is none of the choices is no time at all. */
export function readGrace(text: string): number {
  return Object.hasOwn(GRACE, text) ? GRACE[text as keyof typeof GRACE].ms : 0;
}

export function GraceField(props: {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  /** What no time means, such as "it is revoked at once". */
  readonly none: string;
}) {
  const { none, ...field } = props;
  return (
    <SelectField
      {...field}
      defaultValue="1d"
      choices={Object.entries(GRACE).map(([value, { ms, words }]) => ({
        value,
        label: ms === 0 ? `${words}: ${none}` : words,
      }))}
    />
  );
}
