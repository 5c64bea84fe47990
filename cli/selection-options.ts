import { Option } from "commander";
import type { Command } from "commander";
import { parseDuration } from "@relaykey/core/limits";
import { usage } from "./failure.ts";

/** Which keys are meant: all conditions must hold. */
export interface SelectionOptions {
  readonly holder?: string;
  readonly integration?: string;
  readonly status?: string;
  readonly search?: string;
  readonly expiresBefore?: string;
  readonly createdBefore?: string;
  readonly unusedSince?: string;
}

export function selectionOptions(command: Command): Command {
  return command
    .option("--holder <holder>", "of this holder only")
    .option("--integration <integration>", "for this integration only")
    .addOption(new Option("--status <state>", "in this state only").choices(["active", "revoked", "frozen"]))
    .option("--search <text>", "with this in their name, their display form or their holder's name")
    .option("--expires-before <when>", "that expire before then: a time, or from now on such as 7d")
    .option("--created-before <when>", "that were created before then: a time, or so long ago such as 90d")
    .option("--unused-since <when>", "that made no request since then: a time, or so long ago such as 30d");
}

/** The members of the API's query or body. Undefined: no condition. */
export function readSelection(options: SelectionOptions): Record<string, string | undefined> {
  return {
    holder: options.holder,
    integration: options.integration,
    state: options.status,
    search: options.search,
    expires_before: moment("--expires-before", options.expiresBefore, 1),
    created_before: moment("--created-before", options.createdBefore, -1),
    unused_since: moment("--unused-since", options.unusedSince, -1),
  };
}

/** A time as it is given, or a duration from now, to the future (1) or the past (-1). */
export function moment(option: string, text: string | undefined, direction: 1 | -1): string | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  const at = ms === null ? Date.parse(text) : Date.now() + direction * ms;
  if (Number.isNaN(at))
    throw usage(`${option}: give a time such as 2027-01-31T12:00:00Z, or a duration such as 7d.`);
  return new Date(at).toISOString();
}
