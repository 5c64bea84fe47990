import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { SelectField, TextField } from "../field.tsx";

interface Part {
  readonly values: Readonly<Record<string, string>>;
  readonly failure: ShownFailure | undefined;
}

const KINDS = [
  { value: "person", label: "A person" },
  { value: "application", label: "An application" },
  { value: "service", label: "A service or job" },
  { value: "agent", label: "An agent" },
  { value: "vendor", label: "A vendor" },
];

export function HolderFields({ values, failure }: Part) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField
        name="name"
        label="Name"
        maxLength={100}
        defaultValue={values["name"] ?? ""}
        error={fieldError(failure, "name")}
        required
      />
      <SelectField
        name="kind"
        label="It is"
        defaultValue={values["kind"] ?? "person"}
        choices={KINDS}
        error={fieldError(failure, "kind")}
      />
      <TextField
        name="email"
        type="email"
        label="E-mail"
        hint="People need one: a call from a new network is confirmed there."
        defaultValue={values["email"] ?? ""}
        error={fieldError(failure, "email")}
      />
    </div>
  );
}

/** What differs for this holder from how the organization confirms new networks. */
export function ConfirmationFields({ values, failure }: Part) {
  const yesNo = (yes: string, no: string) => [
    { value: "", label: "As the organization says" },
    { value: "yes", label: yes },
    { value: "no", label: no },
  ];
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        name="trust_first"
        label="The first network"
        defaultValue={values["trust_first"] ?? ""}
        choices={yesNo("is trusted as it is used", "has to be confirmed, too")}
      />
      <SelectField
        name="number_matching"
        label="To confirm"
        defaultValue={values["number_matching"] ?? ""}
        choices={yesNo("type the number of the refused call", "one button is enough")}
      />
      <TextField
        name="trust_days"
        label="Unused networks are forgotten after (days)"
        hint='Empty: as the organization says. Or "never".'
        defaultValue={values["trust_days"] ?? ""}
        error={fieldError(failure, "trust_days")}
      />
    </div>
  );
}
