import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import type { Holder } from "@relaykey/db/queries/holders";
import { checkInput } from "../../api/input.ts";
import { holderChange, holderInput } from "../../api/schemas/holders.ts";
import type { HolderInput, HolderUpdate } from "../../service/holders.ts";
import { invalid, ok } from "../../service/outcome.ts";
import type { Outcome } from "../../service/outcome.ts";
import type { FormValues } from "./form.ts";
import { limitValues, readLimits } from "./policy-form.ts";

const MAX_TRUST_DAYS = 3_650;

export function readNewHolder(form: FormValues): Outcome<HolderInput> {
  return checkInput(holderInput, readFields(form));
}

/** All that the form can change; what it does not name stays. */
export function readHolderChange(form: FormValues): Outcome<HolderUpdate> {
  const read = checkInput(holderChange, readFields(form));
  if (!read.ok) return read;
  const confirmation = readConfirmation(form);
  if (!confirmation.ok) return confirmation;
  const { name, kind, email, limits } = read.value;
  return ok({
    ...(name === undefined ? {} : { name }),
    ...(kind === undefined ? {} : { kind }),
    ...(email === undefined ? {} : { email }),
    ...(limits === undefined ? {} : { limits }),
    confirmation: confirmation.value,
  });
}

export function holderValues(holder: Holder): Record<string, string> {
  const { trustOnFirstUse, trustDays, numberMatching } = holder.confirmation;
  const choice = (value: boolean | undefined): string => (value === undefined ? "" : value ? "yes" : "no");
  return {
    name: holder.name,
    kind: holder.kind,
    email: holder.email ?? "",
    ...limitValues(holder.limits),
    trust_first: choice(trustOnFirstUse),
    number_matching: choice(numberMatching),
    trust_days: trustDays === undefined ? "" : trustDays === null ? "never" : String(trustDays),
  };
}

function readFields(form: FormValues): Record<string, unknown> {
  return {
    name: form.text("name"),
    kind: form.text("kind"),
    email: form.optional("email"),
    limits: readLimits(form),
  };
}

/** Only what differs from the organization's way is stored. */
function readConfirmation(form: FormValues): Outcome<Partial<ConfirmationPolicy>> {
  const days = form.text("trust_days");
  const count = Number(days);
  if (
    days !== "" &&
    days !== "never" &&
    !(Number.isInteger(count) && count >= 1 && count <= MAX_TRUST_DAYS)
  ) {
    return invalid(
      "trust_days",
      `Give a whole number of days from 1 to ${String(MAX_TRUST_DAYS)}, or "never".`,
    );
  }
  const choice = (name: string): boolean | undefined =>
    form.text(name) === "yes" ? true : form.text(name) === "no" ? false : undefined;
  const [first, matching] = [choice("trust_first"), choice("number_matching")];
  return ok({
    ...(first === undefined ? {} : { trustOnFirstUse: first }),
    ...(matching === undefined ? {} : { numberMatching: matching }),
    ...(days === "" ? {} : { trustDays: days === "never" ? null : count }),
  });
}
