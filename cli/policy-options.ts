import { Option } from "commander";
import type { Command } from "commander";
import { ENFORCEMENTS } from "@relaykey/core/enforcement";
import { parseDuration } from "@relaykey/core/limits";
import { collect } from "./context.ts";
import { usage } from "./failure.ts";

/** What a key may do, as options of create and change. */
export interface PolicyOptions extends LimitOptions {
  readonly name?: string;
  readonly allow?: readonly string[];
  readonly bind?: readonly string[];
  readonly ip?: readonly string[];
  readonly expires?: string;
  readonly notBefore?: string;
  readonly enforcement?: string;
}

/** Limits of a key or a holder. */
export interface LimitOptions {
  readonly rate?: string;
  readonly uses?: string;
  readonly concurrency?: string;
  readonly maxBody?: string;
}

const NONE = "none";

export function policyOptions(command: Command): Command {
  return limitOptions(command)
    .option("--name <name>", "what people call it")
    .option(
      "--allow <rule>",
      'a rule such as "POST,GET /v1/chat/*" (repeat); on change, all rules anew',
      collect,
    )
    .option("--bind <name=value>", "what a {name} in the rules stands for (repeat)", collect)
    .option("--ip <block>", "an address or block to allow (repeat), or: any, confirm", collect)
    .option("--expires <when>", `after a duration (7d, 15m), at a time (2027-01-31T12:00:00Z), or ${NONE}`)
    .option("--not-before <time>", `not valid before this time, or ${NONE}`)
    .addOption(
      new Option("--enforcement <mode>", "lease: exact; edge: faster, revoked with a delay").choices(
        ENFORCEMENTS,
      ),
    );
}

export function limitOptions(command: Command): Command {
  return command
    .option("--rate <rate>", `at most so many requests, such as 100/minute, or ${NONE}`)
    .option("--uses <n>", `at most so many requests in all, or ${NONE}`)
    .option("--concurrency <n>", `at most so many requests at the same time, or ${NONE}`)
    .option("--max-body <bytes>", `the largest request body, or ${NONE}`);
}

/** The `limits` member of the API's request; undefined when no option asks for one. */
export function readLimits(options: LimitOptions): Record<string, unknown> | undefined {
  const limits = given({
    rate: orNone(options.rate),
    uses: wholeNumber("--uses", options.uses),
    concurrency: wholeNumber("--concurrency", options.concurrency),
    max_body_bytes: wholeNumber("--max-body", options.maxBody),
  });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/** The members of the API's request that the options ask for. Their values are for the API to judge. */
export function readPolicy(options: PolicyOptions): Record<string, unknown> {
  return given({
    name: options.name,
    allow: options.allow,
    bindings: options.bind === undefined ? undefined : readBindings(options.bind),
    ip: options.ip === undefined ? undefined : readIp(options.ip),
    ...readLifetime(options.expires),
    not_before: orNone(options.notBefore),
    limits: readLimits(options),
    enforcement: options.enforcement,
  });
}

/** The members of a policy that says only what may be asked, and from where. */
export function policyDraft(
  options: Pick<PolicyOptions, "allow"> & {
    readonly bind: PolicyOptions["bind"] | undefined;
    readonly ip: PolicyOptions["ip"] | undefined;
  },
): Record<string, unknown> {
  return given({
    allow: options.allow,
    bindings: options.bind === undefined ? undefined : readBindings(options.bind),
    ip: options.ip === undefined ? undefined : readIp(options.ip),
  });
}

function readIp(values: readonly string[]): object {
  const [first] = values;
  if (first !== "any" && first !== "confirm") return { mode: "allowlist", cidrs: values };
  if (values.length > 1) throw usage(`--ip ${first} stands alone.`);
  return { mode: first };
}

function readBindings(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const match = /^([^=]+)=(.+)$/.exec(value);
      if (match === null) throw usage("--bind: give name=value, such as zone=abc123.");
      return [match[1] ?? "", match[2] ?? ""];
    }),
  );
}

/** The members that an expiry is given by. */
export function readLifetime(when: string | undefined): object {
  if (when === undefined) return {};
  if (parseDuration(when) !== null) return { expires_in: when };
  if (when !== NONE && !/^\d{4}-/.test(when)) {
    throw usage(
      `Say when it ends: after a duration such as 7d, at a time such as 2027-01-31T12:00:00Z, or ${NONE}.`,
    );
  }
  return { expires_at: orNone(when) };
}

export function wholeNumber(option: string, value: string | undefined): number | null | undefined {
  if (value === undefined || value === NONE) return orNone(value) as null | undefined;
  if (!/^\d{1,15}$/.test(value)) throw usage(`${option}: give a whole number, or ${NONE}.`);
  return Number(value);
}

export function orNone(value: string | undefined): string | null | undefined {
  return value === NONE ? null : value;
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
