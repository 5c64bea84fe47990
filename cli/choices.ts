import { InvalidArgumentError, Option } from "commander";

/** Options whose values are a fixed set. What is given here is also what completion proposes. */

export const ROLES = ["admin", "viewer"] as const;

export function roleOption(): Option {
  return new Option("--role <role>", "what they may do").choices(ROLES);
}

/** An option that may be given several times, each time with one of `choices`. */
export function repeatedChoice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description)
    .choices(choices)
    .argParser((value: string, before: readonly string[] | undefined) => {
      if (!choices.includes(value))
        throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
      return [...(before ?? []), value];
    });
}
