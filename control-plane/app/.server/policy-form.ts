import { CATALOGUE } from "@relaykey/core/catalogue/index";
import type { CatalogueEntry } from "@relaykey/core/catalogue/index";
import { formatRate } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { policyWords } from "@relaykey/core/policy-words";
import type { PolicySentence } from "@relaykey/core/policy-words";
import { compileScope, formatRule, matchScope, placeholders } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import type { IpPolicy } from "@relaykey/core/snapshot";
import { parseTarget } from "@relaykey/core/target";
import type { KeyPolicy } from "@relaykey/db/queries/keys";
import { fail } from "../../service/outcome.ts";
import type { Failure, Outcome } from "../../service/outcome.ts";
import type { FormValues } from "./form.ts";

/** What the form says a key may do, as the management API takes it: one set of rules checks both. */
export type PolicyBody = Record<string, unknown>;

/** What is shown of a policy while it is being written. */
export interface PolicyPreview {
  readonly sentences: readonly PolicySentence[];
  readonly test: PolicyTest | null;
}

/** What became of the request that was tried. */
export interface PolicyTest {
  readonly request: string;
  readonly allowed: boolean;
  readonly detail: string;
}

const NEVER = "never";
const AT = "at";
const NO_ENTRY: Pick<CatalogueEntry, "presets"> = { presets: [] };

/** The catalogue entry whose presets fit an integration: the one it was made from, else the one named like it. */
export function entryOf(integration: { readonly slug: string; readonly catalogue?: string | null }) {
  const name = integration.catalogue ?? integration.slug;
  return CATALOGUE.find(({ slug }) => slug === name) ?? null;
}

/** Reads the policy of a form. What is wrong with it is found by the API's own schema, not here. */
export function readPolicyForm(form: FormValues, entry: Pick<CatalogueEntry, "presets"> | null): PolicyBody {
  const preset = (entry ?? NO_ENTRY).presets.find(({ name }) => name === form.text("preset"));
  const allow = preset === undefined ? form.lines("allow").map(readRuleLine) : [...preset.allow];
  const ip = form.text("ip");
  const expiry = form.text("expires_in");
  return {
    ...(form.optional("name") === null ? {} : { name: form.text("name") }),
    allow,
    bindings: readBindings(form, preset?.allow ?? null),
    ...(ip === "auto" || ip === "" ? {} : { ip: readNetworks(ip, form) }),
    limits: readLimits(form),
    ...(expiry === AT
      ? { expires_at: readMoment(form.text("expires_at")) }
      : expiry === NEVER || expiry === ""
        ? { expires_at: null }
        : { expires_in: expiry }),
    ...(form.optional("not_before") === null ? {} : { not_before: readMoment(form.text("not_before")) }),
    enforcement: form.flag("edge") ? "edge" : "lease",
  };
}

/** Limits as forms have them; an empty field is no limit. */
export function readLimits(form: FormValues): Record<string, unknown> {
  return {
    rate: form.optional("limits.rate"),
    uses: readNumber(form.optional("limits.uses")),
    concurrency: readNumber(form.optional("limits.concurrency")),
    max_body_bytes: readNumber(form.optional("limits.max_body_bytes")),
  };
}

/** The values that fill a form with limits. */
export function limitValues(limits: Partial<Limits>): Record<string, string> {
  const { rate, uses, concurrency, maxBodyBytes } = limits;
  return {
    "limits.rate": rate == null ? "" : formatRate(rate),
    "limits.uses": uses == null ? "" : String(uses),
    "limits.concurrency": concurrency == null ? "" : String(concurrency),
    "limits.max_body_bytes": maxBodyBytes == null ? "" : String(maxBodyBytes),
  };
}

/** The values that fill a form with a policy. */
export function policyValues(policy: KeyPolicy): Record<string, string> {
  return {
    name: policy.name,
    allow: policy.rules.map(writeRuleLine).join("\n"),
    bindings: Object.entries(policy.bindings)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
    ip: policy.ipMode,
    "ip.cidrs": policy.ipCidrs.join("\n"),
    expires_in: policy.expiresAt === null ? NEVER : AT,
    expires_at: policy.expiresAt === null ? "" : policy.expiresAt.toISOString().slice(0, 16),
    not_before: policy.notBefore === null ? "" : policy.notBefore.toISOString().slice(0, 16),
    ...limitValues(policy.limits),
    ...(policy.enforcement === "edge" ? { edge: "on" } : {}),
  };
}

/** One rule as one line: "GET /a/*", with constraints on the query as JSON behind it. */
export function writeRuleLine(rule: ScopeRule): string {
  if (rule.query === undefined) return formatRule(rule);
  const { noDuplicates, ...query } = rule.query;
  const json = { ...query, ...(noDuplicates === undefined ? {} : { no_duplicates: noDuplicates }) };
  return `${formatRule(rule)} ${JSON.stringify(json)}`;
}

function readRuleLine(line: string): unknown {
  const start = line.indexOf(" {");
  if (start < 0) return line;
  try {
    return { rule: line.slice(0, start), query: JSON.parse(line.slice(start + 1)) as unknown };
  } catch {
    return line;
  }
}

/** A policy in words, and what it does with the request that is tried. */
export function previewPolicy(
  form: Pick<FormValues, "text">,
  policy: Omit<KeyPolicy, "name" | "ipMode" | "ipCidrs"> & { readonly ip: IpPolicy },
): PolicyPreview {
  const sentences = policyWords({
    ...policy,
    notBefore: policy.notBefore?.getTime() ?? null,
    expiresAt: policy.expiresAt?.getTime() ?? null,
  });
  return { sentences, test: testRequest(form.text("test"), policy.rules, policy.bindings) };
}

/** Tries "METHOD /path?query" with the matcher that the proxy runs. */
export function testRequest(
  text: string,
  rules: readonly ScopeRule[],
  bindings: Readonly<Record<string, string>>,
): PolicyTest | null {
  if (text === "") return null;
  const [, method = "", path = "", query = ""] = /^(?:([A-Za-z]+) +)?([^?#]*)(?:\?([^#]*))?/.exec(text) ?? [];
  const verb = method === "" ? "GET" : method.toUpperCase();
  const request = `${verb} ${path}${query === "" ? "" : `?${query}`}`;
  const target = parseTarget(path, query, { allowEncodedSlash: false });
  if (!target.ok) return { request, allowed: false, detail: target.detail };
  const match = matchScope(compileScope(rules, bindings), verb, target.target.segments, query);
  if (!match.ok) return { request, allowed: false, detail: MISSES[match.reason] };
  const rule = rules[match.rule];
  return {
    request,
    allowed: true,
    detail: `The rule "${rule === undefined ? "" : formatRule(rule)}" allows it.`,
  };
}

const MISSES = {
  scope_path: "No rule has this path.",
  scope_method: "A rule has this path, but not this method.",
  scope_query: "A rule has this path and method, but refuses this query.",
} as const;

/** Says of each wrong rule in which line it is. */
export function namingLines({ errors, ...failure }: Failure): Failure {
  if (errors === undefined) return failure;
  return {
    ...failure,
    errors: errors.map(({ field, message }) => {
      const line = /^(?:allow|ip\.cidrs)\.(\d+)/.exec(field)?.[1];
      return {
        field,
        message: line === undefined ? message : `Line ${String(Number(line) + 1)}: ${message}`,
      };
    }),
  };
}

/** An outcome whose failure names lines. */
export function withLines<T>(outcome: Outcome<T>): Outcome<T> {
  if (outcome.ok) return outcome;
  const { code, ...more } = namingLines(outcome.failure);
  return fail(code, more);
}

function readNetworks(mode: string, form: FormValues): unknown {
  return mode === "allowlist"
    ? {
        mode,
        cidrs: form
          .text("ip.cidrs")
          .split(/[\s,]+/)
          .filter(Boolean),
      }
    : { mode };
}

/** "zone=abc" a line; of a preset, a field per name. */
function readBindings(form: FormValues, presetRules: readonly string[] | null): Record<string, string> {
  if (presetRules !== null) {
    const names = placeholders(presetRules.map((path) => ({ methods: [], path })));
    return Object.fromEntries(names.map((name) => [name, form.text(`bind.${name}`)]));
  }
  return Object.fromEntries(
    form.lines("bindings").map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/** What is no number is handed on as it is, so that the schema says so. */
function readNumber(text: string | null): unknown {
  if (text === null) return null;
  const plain = text.replaceAll(/[ ,_]/g, "");
  return /^\d+$/.test(plain) ? Number(plain) : text;
}

/** A local date and time, taken as UTC. */
function readMoment(text: string): string {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) ? `${text}:00Z` : text;
}
