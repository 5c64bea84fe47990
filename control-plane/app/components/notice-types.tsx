import { Checkbox } from "./field.tsx";

/** Which notices an endpoint gets. None ticked means all. */
export function TypeChoices(props: {
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly chosen: readonly string[];
}) {
  return (
    <fieldset>
      <legend className="mb-2 text-sm font-medium">Notices: none ticked means all</legend>
      <div className="grid gap-3 sm:grid-cols-2">
        {props.choices.map(({ value, label }) => (
          <Checkbox
            key={value}
            id={`type-${value}`}
            name="types"
            value={value}
            label={label}
            defaultChecked={props.chosen.includes(value)}
          />
        ))}
      </div>
    </fieldset>
  );
}
