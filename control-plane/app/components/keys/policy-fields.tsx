import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { Checkbox, RadioGroup, SelectField, TextArea, TextField } from "../field.tsx";

/** A preset of the catalogue, and the names in it that have to be filled in. */
export interface ShownPreset {
  readonly name: string;
  readonly allow: readonly string[];
  readonly names: readonly string[];
}

interface Part {
  readonly values: Readonly<Record<string, string>>;
  readonly failure: ShownFailure | undefined;
}

const BY_HAND = "";

/** Shows a part while the n-th choice of the group is the one. Spelled out, so that the style sheet has them. */
const SHOWN_WITH_PRESET = [
  "group-has-[div:nth-of-type(1)>[name=preset]:checked]/scope:grid",
  "group-has-[div:nth-of-type(2)>[name=preset]:checked]/scope:grid",
  "group-has-[div:nth-of-type(3)>[name=preset]:checked]/scope:grid",
  "group-has-[div:nth-of-type(4)>[name=preset]:checked]/scope:grid",
];

/** The requests that a key may make: a preset, or rules by hand. The parts that do not apply are hidden by CSS alone. */
export function ScopeFields({
  values,
  failure,
  presets,
}: Part & { readonly presets: readonly ShownPreset[] }) {
  const chosen = values["preset"] ?? presets[0]?.name ?? BY_HAND;
  return (
    <div className="group/scope flex flex-col gap-4">
      {presets.length > 0 && (
        <RadioGroup
          name="preset"
          label="What it may do"
          defaultValue={chosen}
          choices={[
            ...presets.map(({ name, allow }) => ({
              value: name,
              label: name,
              hint: <span className="font-mono text-xs break-words">{allow.join(" · ")}</span>,
            })),
            { value: BY_HAND, label: "Rules by hand", hint: "One rule a line, as narrow as the job." },
          ]}
        />
      )}
      {presets.map(({ name, names }, index) =>
        names.length === 0 ? null : (
          <div key={name} className={`hidden gap-4 sm:grid-cols-2 ${SHOWN_WITH_PRESET[index] ?? "grid"}`}>
            {names.map((each) => (
              <TextField
                key={each}
                id={`${name}-${each}`}
                name={`bind.${each}`}
                label={`The ${each} it is for`}
                hint="One path segment; every request must name it."
                defaultValue={values[`bind.${each}`] ?? ""}
                error={fieldError(failure, "bindings")}
              />
            ))}
          </div>
        ),
      )}
      <div
        className={
          presets.length === 0
            ? "flex flex-col gap-4"
            : "hidden flex-col gap-4 group-has-[[name=preset][value='']:checked]/scope:flex"
        }
      >
        <RuleFields values={values} failure={failure} />
      </div>
    </div>
  );
}

/** Rules by hand, and what their names stand for. */
export function RuleFields({ values, failure }: Part) {
  return (
    <>
      <TextArea
        name="allow"
        label="Rules"
        mono
        rows={5}
        placeholder={"POST /v1/chat/completions\nGET /v1/models/*"}
        hint="METHOD /path, one a line. * stands for one segment, ** for the rest, {name} for one that is fixed below. What no rule allows is refused. Constraints on the query may follow as JSON."
        defaultValue={values["allow"] ?? ""}
        error={fieldError(failure, "allow")}
      />
      <TextArea
        name="bindings"
        label="Fixed names"
        mono
        rows={2}
        placeholder="zone=023e105f4ecef8ad"
        hint="One a line, for each {name} in the rules."
        defaultValue={values["bindings"] ?? ""}
        error={fieldError(failure, "bindings")}
      />
    </>
  );
}

export function NetworkFields({ values, failure, hasAuto }: Part & { readonly hasAuto: boolean }) {
  const chosen = values["ip"] ?? (hasAuto ? "auto" : "any");
  return (
    <div className="group/ip flex flex-col gap-4">
      <RadioGroup
        name="ip"
        label="From where"
        defaultValue={chosen}
        error={values["ip"] === "allowlist" ? undefined : fieldError(failure, "ip")}
        choices={[
          ...(hasAuto
            ? [
                {
                  value: "auto",
                  label: "As its holder needs it",
                  hint: "People confirm each new network by mail; machines may call from anywhere.",
                },
              ]
            : []),
          {
            value: "allowlist",
            label: "These networks only",
            hint: "For servers whose addresses are known.",
          },
          {
            value: "confirm",
            label: "Networks that its holder has confirmed",
            hint: "A call from a new network is refused, and its holder gets a mail.",
          },
          { value: "any", label: "Anywhere", hint: "Who has the key can use it from any address." },
        ]}
      />
      <div className="hidden group-has-[[name=ip][value=allowlist]:checked]/ip:block">
        <TextArea
          name="ip.cidrs"
          label="Networks"
          mono
          rows={3}
          placeholder={"203.0.113.7\n10.0.0.0/8"}
          hint="Addresses or blocks, one a line."
          defaultValue={values["ip.cidrs"] ?? ""}
          error={fieldError(failure, "ip")}
        />
      </div>
    </div>
  );
}

const LIVES = [
  ["1h", "1 hour"],
  ["1d", "1 day"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["365d", "1 year"],
] as const;

export function TimeFields({ values, failure }: Part) {
  return (
    <div className="group/time grid gap-4 sm:grid-cols-2">
      <SelectField
        name="expires_in"
        label="Works for"
        defaultValue={values["expires_in"] ?? "90d"}
        error={fieldError(failure, "expires_in")}
        choices={[
          ...LIVES.map(([value, label]) => ({ value, label })),
          { value: "at", label: "Until a date" },
          { value: "never", label: "Until it is revoked" },
        ]}
      />
      <div className="hidden group-has-[option[value=at]:checked]/time:block">
        <TextField
          name="expires_at"
          type="datetime-local"
          label="Expires (UTC)"
          defaultValue={values["expires_at"] ?? ""}
          error={fieldError(failure, "expires_at")}
        />
      </div>
    </div>
  );
}

export function LimitFields({ values, failure, of }: Part & { readonly of: "key" | "holder" }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField
        name="limits.rate"
        label="Rate"
        placeholder="100/minute"
        hint={
          of === "key"
            ? "Such as 100/minute or 5/10s. Exact, whatever the number of locations."
            : "Over all of its keys together."
        }
        defaultValue={values["limits.rate"] ?? ""}
        error={fieldError(failure, "limits.rate")}
      />
      <TextField
        name="limits.uses"
        label="Requests in all"
        inputMode="numeric"
        hint="1 makes a one-time key."
        defaultValue={values["limits.uses"] ?? ""}
        error={fieldError(failure, "limits.uses")}
      />
      <TextField
        name="limits.concurrency"
        label="At the same time"
        inputMode="numeric"
        hint="Open streams count."
        defaultValue={values["limits.concurrency"] ?? ""}
        error={fieldError(failure, "limits.concurrency")}
      />
      <TextField
        name="limits.max_body_bytes"
        label="Largest body, in bytes"
        inputMode="numeric"
        defaultValue={values["limits.max_body_bytes"] ?? ""}
        error={fieldError(failure, "limits.max_body_bytes")}
      />
    </div>
  );
}

export function AdvancedFields({ values, failure }: Part) {
  return (
    <details
      className="rounded-lg border border-line p-4"
      open={values["edge"] === "on" || (values["not_before"] !== undefined && values["not_before"] !== "")}
    >
      <summary className="cursor-pointer text-sm font-medium">
        <span aria-hidden="true">▸ </span>Later start, enforcement at the edge
      </summary>
      <div className="mt-4 flex flex-col gap-4">
        <TextField
          name="not_before"
          type="datetime-local"
          label="Not valid before (UTC)"
          defaultValue={values["not_before"] ?? ""}
          error={fieldError(failure, "not_before")}
        />
        <Checkbox
          name="edge"
          label="Enforce at the edge only"
          defaultChecked={values["edge"] === "on"}
          hint="Saves the question to the holder's object. The price: a revocation, or any change, holds everywhere only after 90 seconds."
        />
      </div>
    </details>
  );
}
