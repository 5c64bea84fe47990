import type { ComponentProps, ReactNode } from "react";
import { Icon } from "./shell/icon.tsx";

interface Labelled {
  /** Also its id: unique on the page. */
  readonly name: string;
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  /** What is wrong with it, and what would be right. */
  readonly error?: string | undefined;
}

const INPUT =
  "block min-h-9 w-full rounded-lg border border-edge bg-surface px-3 py-1.5 text-sm text-ink placeholder:text-muted aria-invalid:border-bad disabled:opacity-60";

/** Label, control, hint and error, tied together for those who do not see them. */
export function Field(props: Labelled & { readonly id?: string; readonly children: ReactNode }) {
  const id = props.id ?? props.name;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {props.label}
      </label>
      {props.children}
      <Footnotes id={id} hint={props.hint} error={props.error} />
    </div>
  );
}

function Footnotes(props: {
  readonly id: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}) {
  return (
    <>
      {props.hint !== undefined && (
        <p id={`${props.id}-hint`} className="text-sm text-muted">
          {props.hint}
        </p>
      )}
      {props.error !== undefined && (
        <p id={`${props.id}-error`} className="text-sm font-medium text-bad">
          {props.error}
        </p>
      )}
    </>
  );
}

function describe({ name, hint, error }: Labelled, id: string = name) {
  const ids = [hint === undefined ? "" : `${id}-hint`, error === undefined ? "" : `${id}-error`]
    .filter((part) => part !== "")
    .join(" ");
  return {
    id,
    name,
    ...(ids === "" ? {} : { "aria-describedby": ids }),
    ...(error === undefined ? {} : { "aria-invalid": true as const }),
  };
}

function split<P extends Labelled>({ label, hint, error, ...rest }: P) {
  return { labelled: { name: rest.name, label, hint, error }, rest };
}

export function TextField(props: Labelled & ComponentProps<"input">) {
  const { labelled, rest } = split(props);
  return (
    <Field {...labelled} {...(rest.id === undefined ? {} : { id: rest.id })}>
      <input type="text" autoComplete="off" {...rest} {...describe(labelled, rest.id)} className={INPUT} />
    </Field>
  );
}

export function TextArea(props: Labelled & ComponentProps<"textarea"> & { readonly mono?: boolean }) {
  const { labelled, rest } = split(props);
  const { mono = false, ...area } = rest;
  return (
    <Field {...labelled} {...(area.id === undefined ? {} : { id: area.id })}>
      <textarea
        rows={4}
        spellCheck={!mono}
        {...area}
        {...describe(labelled, area.id)}
        className={`${INPUT} ${mono ? "font-mono" : ""}`}
      />
    </Field>
  );
}

/** One choice of a list or a group. */
export interface Choice {
  readonly value: string;
  readonly label: ReactNode;
  readonly hint?: ReactNode;
}

export function SelectField(
  props: Labelled &
    ComponentProps<"select"> & { readonly choices: readonly (Choice & { readonly label: string })[] },
) {
  const { labelled, rest } = split(props);
  const { choices, ...select } = rest;
  return (
    <Field {...labelled} {...(select.id === undefined ? {} : { id: select.id })}>
      <span className="relative block">
        <select
          {...select}
          {...describe(labelled, select.id)}
          className={`${INPUT} appearance-none truncate pr-9`}
        >
          {choices.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <span className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-muted">
          <Icon name="chevron" />
        </span>
      </span>
    </Field>
  );
}

export function Checkbox(props: Labelled & Omit<ComponentProps<"input">, "type">) {
  const { labelled, rest } = split(props);
  const id = rest.id ?? rest.name;
  return (
    <div className="flex items-start gap-3">
      <input
        type="checkbox"
        {...rest}
        {...describe(labelled, id)}
        className="mt-0.5 size-5 shrink-0 accent-fill"
      />
      <div className="flex min-w-0 flex-col gap-0.5">
        <label htmlFor={id} className="text-sm font-medium">
          {labelled.label}
        </label>
        <Footnotes id={id} hint={labelled.hint} error={labelled.error} />
      </div>
    </div>
  );
}

/** One of a few, all in sight. */
export function RadioGroup(
  props: Labelled & { readonly choices: readonly Choice[]; readonly defaultValue?: string | undefined },
) {
  return (
    <fieldset className="flex flex-col gap-2" aria-describedby={describe(props)["aria-describedby"]}>
      <legend className="mb-2 text-sm font-medium">{props.label}</legend>
      {props.choices.map(({ value, label, hint }) => {
        const id = `${props.name}-${value}`;
        return (
          <div
            key={value}
            className="flex items-start gap-3 rounded-lg border border-line bg-surface p-3 has-checked:border-accent has-checked:bg-accent-soft"
          >
            <input
              type="radio"
              id={id}
              name={props.name}
              value={value}
              defaultChecked={value === props.defaultValue}
              className="mt-0.5 size-5 shrink-0 accent-fill"
              {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
            />
            <div className="min-w-0">
              <label htmlFor={id} className="text-sm font-medium">
                {label}
              </label>
              <Footnotes id={id} hint={hint} />
            </div>
          </div>
        );
      })}
      <Footnotes id={props.name} hint={props.hint} error={props.error} />
    </fieldset>
  );
}
