import type { Command } from "commander";
import { collect } from "./context.ts";
import { orNone, wholeNumber } from "./policy-options.ts";

/** How new addresses are confirmed, for the organization or one holder. */
export interface ConfirmationOptions {
  readonly trustFirstUse?: boolean;
  readonly trustDays?: string;
  readonly preapprove?: readonly string[];
  readonly neverConfirmable?: readonly string[];
  readonly numberMatching?: boolean;
  readonly v6Prefix?: string;
}

export function confirmationOptions(command: Command): Command {
  return command
    .option("--trust-first-use", "trust the first network as it is used")
    .option("--no-trust-first-use", "have the first network confirmed as well")
    .option("--trust-days <n>", "days after its last use until a network has to be confirmed again, or none")
    .option(
      "--preapprove <block>",
      "a block that needs no confirmation (repeat: all of them anew), or none",
      collect,
    )
    .option(
      "--never-confirmable <block>",
      "a block shared by strangers, which nobody can confirm (repeat: all of them anew), or none",
      collect,
    )
    .option("--number-matching", "the person types the number that the refused call was answered with")
    .option("--no-number-matching", "the person needs no number")
    .option("--v6-prefix <bits>", "leading bits of an IPv6 address that count as one client");
}

/** The `confirmation` member of the API's request; undefined when no option asks for one. */
export function readConfirmation(options: ConfirmationOptions): Record<string, unknown> | undefined {
  const settings = Object.entries({
    trust_on_first_use: options.trustFirstUse,
    trust_days: wholeNumber("--trust-days", options.trustDays),
    preapproved: blocks(options.preapprove),
    never_confirmable: blocks(options.neverConfirmable),
    number_matching: options.numberMatching,
    v6_prefix: wholeNumber("--v6-prefix", options.v6Prefix),
  }).filter(([, value]) => value !== undefined);
  return settings.length === 0 ? undefined : Object.fromEntries(settings);
}

function blocks(given: readonly string[] | undefined): readonly string[] | undefined {
  return given?.length === 1 && orNone(given[0]) === null ? [] : given;
}
