import { EDGE_BOUND_SECONDS } from "./enforcement.ts";
import type { EnforcementMode } from "./enforcement.ts";
import { formatDuration } from "./limits.ts";
import type { Limits } from "./limits.ts";
import type { ScopeRule } from "./scope.ts";
import type { IpPolicy } from "./snapshot.ts";

/** One consequence of a policy, in a sentence. */
export interface PolicySentence {
  readonly about: "scope" | "network" | "time" | "limits" | "enforcement";
  readonly text: string;
  /** Wider than it may have been meant. */
  readonly isWide: boolean;
}

/** What a key may do, as far as it matters to people. */
export interface DescribedPolicy {
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
  readonly ip: IpPolicy;
  /** Epoch ms. */
  readonly notBefore: number | null;
  /** Epoch ms. */
  readonly expiresAt: number | null;
  readonly limits: Limits;
  readonly enforcement: EnforcementMode;
}

/** Rules named one by one in a sentence; of more, only their number. */
const MAX_NAMED_RULES = 4;

/** A rule as the proxy takes it, with its names filled in: "POST /zones/abc/dns_records (query: only page)". */
export function ruleWords(rule: ScopeRule, bindings: Readonly<Record<string, string>>): string {
  const methods = rule.methods.includes("*") ? "use any method on" : rule.methods.join(" or ");
  const path = rule.path.replace(/\{([^}]*)\}/g, (whole, name: string) =>
    Object.hasOwn(bindings, name) && bindings[name] !== "" ? (bindings[name] ?? whole) : whole,
  );
  return `${methods} ${path}${queryWords(rule)}`;
}

/** What a policy means, in sentences: first what it allows, then what bounds it. */
export function policyWords(policy: DescribedPolicy): PolicySentence[] {
  return [
    ...scopeWords(policy),
    networkWords(policy.ip),
    ...timeWords(policy),
    ...limitWords(policy.limits),
    ...enforcementWords(policy.enforcement),
  ];
}

function scopeWords({ rules, bindings }: DescribedPolicy): PolicySentence[] {
  const [first] = rules;
  if (first === undefined) return [{ about: "scope", text: "It can do nothing yet.", isWide: false }];
  const everything = rules.find((rule) => rule.path === "/**" && rule.query === undefined);
  if (everything?.methods.includes("*") === true) {
    return [{ about: "scope", text: "It can do everything that the vendor's own key can do.", isWide: true }];
  }
  const text =
    rules.length <= MAX_NAMED_RULES
      ? `It can ${list(rules.map((rule) => ruleWords(rule, bindings)))}, and nothing else.`
      : `It can make requests of ${String(rules.length)} kinds, and no others.`;
  return [{ about: "scope", text, isWide: everything !== undefined }];
}

function networkWords(ip: IpPolicy): PolicySentence {
  switch (ip.mode) {
    case "any":
      return { about: "network", text: "It works from any address.", isWide: true };
    case "allowlist":
      return { about: "network", text: `It works from ${list(ip.cidrs, "and")} only.`, isWide: false };
    case "confirm":
      return {
        about: "network",
        text: "It works from networks that its holder has confirmed by mail; the first may be trusted as it is used.",
        isWide: false,
      };
  }
}

function timeWords({ notBefore, expiresAt }: DescribedPolicy): PolicySentence[] {
  const start =
    notBefore === null
      ? []
      : [{ about: "time" as const, text: `It starts to work on ${momentWords(notBefore)}.`, isWide: false }];
  const end =
    expiresAt === null
      ? {
          about: "time" as const,
          text: "It never expires: it works until somebody revokes it.",
          isWide: true,
        }
      : { about: "time" as const, text: `It works until ${momentWords(expiresAt)}.`, isWide: false };
  return [...start, end];
}

function limitWords({ rate, uses, concurrency, maxBodyBytes }: Partial<Limits>): PolicySentence[] {
  const limits = [
    rate == null ? [] : [`${count(rate.limit, "request")} ${windowWords(rate.windowSeconds)}`],
    uses == null ? [] : [uses === 1 ? "one request in all" : `${count(uses, "request")} in all`],
    concurrency == null ? [] : [`${number(concurrency)} at the same time`],
  ].flat();
  const body =
    maxBodyBytes == null
      ? []
      : [{ about: "limits" as const, text: `Bodies of at most ${bytesWords(maxBodyBytes)}.`, isWide: false }];
  if (limits.length === 0)
    return [{ about: "limits", text: "It is not limited in how often it is used.", isWide: true }, ...body];
  return [{ about: "limits", text: `At most ${list(limits, "and")}.`, isWide: false }, ...body];
}

function enforcementWords(mode: EnforcementMode): PolicySentence[] {
  if (mode === "lease") return [];
  return [
    {
      about: "enforcement",
      text: `A change, a revocation too, holds everywhere only after ${String(EDGE_BOUND_SECONDS)} seconds: the key is enforced at the edge.`,
      isWide: true,
    },
  ];
}

function queryWords({ query }: ScopeRule): string {
  if (query === undefined) return "";
  const values = Object.entries(query.values ?? {}).map(([name, allowed]) => `${name}=${allowed.join("|")}`);
  const parts = [
    ...(query.allow === undefined
      ? []
      : [query.allow.length === 0 ? "none" : `only ${query.allow.join(", ")}`]),
    ...values,
    ...(query.noDuplicates === true ? ["each name once"] : []),
  ];
  return parts.length === 0 ? "" : ` (query: ${parts.join("; ")})`;
}

/** "1 December 2026, 12:00 UTC": the same on every machine. */
export function momentWords(ms: number): string {
  const iso = new Date(ms).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? "";
  return `${String(Number(iso.slice(8, 10)))} ${month} ${iso.slice(0, 4)}, ${iso.slice(11, 16)} UTC`;
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

function windowWords(seconds: number): string {
  const names: Record<number, string> = { 1: "second", 60: "minute", 3_600: "hour", 86_400: "day" };
  const name = names[seconds];
  return name === undefined
    ? `in each ${formatDuration(seconds * 1_000)}`
    : `a ${name}`.replace("a hour", "an hour");
}

function bytesWords(bytes: number): string {
  for (const [size, unit] of [
    [1_000_000_000, "GB"],
    [1_000_000, "MB"],
    [1_000, "kB"],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1).replace(/\.0$/, "")} ${unit}`;
  }
  return `${String(bytes)} bytes`;
}

function count(value: number, thing: string): string {
  return `${number(value)} ${thing}${value === 1 ? "" : "s"}`;
}

function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function list(items: readonly string[], word: "and" | "or" = "and"): string {
  if (items.length <= 1) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1) ?? ""}`;
}
