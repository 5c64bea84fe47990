import { placeholders } from "@relaykey/core/scope";
import { snippets } from "@relaykey/core/snippets";
import { policyWords } from "@relaykey/core/policy-words";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import { checkInput } from "../../api/input.ts";
import { holderInput } from "../../api/schemas/holders.ts";
import { keyInput } from "../../api/schemas/keys.ts";
import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { createHolder, showHolder } from "../../service/holders.ts";
import { createKey } from "../../service/keys.ts";
import type { KeyAnswer, KeyInput } from "../../service/keys.ts";
import { checkPolicy, newPolicy } from "../../service/key-policy.ts";
import { fail, ok } from "../../service/outcome.ts";
import type { Outcome } from "../../service/outcome.ts";
import type { ShownPreset } from "../components/keys/policy-fields.tsx";
import type { Revealed } from "../components/keys/reveal.tsx";
import type { FormValues } from "./form.ts";
import { entryOf, previewPolicy, readPolicyForm, withLines } from "./policy-form.ts";
import type { PolicyPreview } from "./policy-form.ts";

type Integration = Parameters<typeof entryOf>[0];

/** The choice of a holder that is not there yet. */
export const NEW_HOLDER = "new";

/** The presets of the integration's catalogue entry. */
export function presetsOf(integration: Integration): ShownPreset[] {
  return (entryOf(integration)?.presets ?? []).map(({ name, allow }) => ({
    name,
    allow,
    names: placeholders(allow.map((path) => ({ methods: [], path }))),
  }));
}

/** What the form would make, without making it. */
export async function previewKey(
  deps: ServiceDependencies,
  caller: Caller,
  form: FormValues,
  integration: Integration,
): Promise<Outcome<PolicyPreview>> {
  const input = readKeyForm(form, integration, deps.now());
  if (!input.ok) return input;
  const kind = await holderKind(deps, caller, form);
  const ip = input.value.ip ?? ({ mode: kind === "person" ? "confirm" : "any" } as const);
  return ok(previewPolicy(form, { ...input.value, bindings: { ...input.value.bindings }, ip }));
}

/** Makes the key, and first its holder where that is new. */
export async function createKeyFromForm(
  deps: ServiceDependencies,
  caller: Caller,
  form: FormValues,
  integration: Integration,
): Promise<Outcome<Revealed>> {
  // All that can be wrong with the key is looked at before its holder is made.
  const input = readKeyForm(form, integration, deps.now());
  if (!input.ok) return input;
  let { holder } = input.value;
  if (form.text("holder") === NEW_HOLDER) {
    const made = await createNewHolder(deps, caller, form);
    if (!made.ok) return made;
    holder = made.value;
  }
  const created = await createKey(deps, caller, { ...input.value, holder });
  if (!created.ok) return withLines(created);
  return ok(revealKey(deps, created.value, created.value.token, integration, null));
}

async function createNewHolder(
  deps: ServiceDependencies,
  caller: Caller,
  form: FormValues,
): Promise<Outcome<string>> {
  const read = checkInput(holderInput, {
    name: form.text("holder_name"),
    kind: form.text("holder_kind"),
    email: form.optional("holder_email"),
  });
  const made = read.ok ? await createHolder(deps, caller, read.value) : read;
  if (made.ok) return ok(made.value.id);
  const { code, errors = [], ...more } = made.failure;
  const named =
    code === "name_taken" ? [{ field: "name", message: more.detail ?? "Choose another name." }] : errors;
  return fail(code, {
    ...more,
    errors: named.map(({ field, message }) => ({ field: `holder_${field}`, message })),
  });
}

/** The page that shows a token for the one time it can be seen. */
export function revealKey(
  deps: ServiceDependencies,
  { key, enforcement }: KeyAnswer,
  token: { reveal(): string },
  integration: Integration,
  former: string | null,
): Revealed {
  const text = token.reveal();
  return {
    keyId: key.id,
    name: key.name,
    token: text,
    snippets: snippets({
      proxy: deps.proxyUrl,
      slug: key.integration.slug,
      entry: entryOf(integration),
      token: text,
      rules: key.rules,
      bindings: key.bindings,
    }),
    sentences: keyWords(key),
    isPending: enforcement.state === "pending",
    former,
  };
}

/** What a key that is there can do, in words. */
export function keyWords(key: KeyRecord) {
  return policyWords({
    rules: key.rules,
    bindings: key.bindings,
    ip: key.ipMode === "allowlist" ? { mode: "allowlist", cidrs: key.ipCidrs } : { mode: key.ipMode },
    notBefore: key.notBefore?.getTime() ?? null,
    expiresAt: key.expiresAt?.getTime() ?? null,
    limits: key.limits,
    enforcement: key.enforcement,
  });
}

function readKeyForm(form: FormValues, integration: Integration, now: number): Outcome<KeyInput> {
  const body = readPolicyForm(form, entryOf(integration));
  const holder = form.text("holder") === NEW_HOLDER ? form.text("holder_name") : form.text("holder");
  const read = checkInput(keyInput, {
    ...body,
    // Whether the name of a new holder is right is looked at when it is made.
    holder: holder === "" ? NEW_HOLDER : holder.slice(0, 100),
    integration: integration.slug,
  });
  if (!read.ok) return withLines(read);
  const input = read.value(now);
  const problem = checkPolicy(
    newPolicy({ ...input, name: input.name ?? "", ip: input.ip ?? { mode: "any" } }),
    now,
  );
  return problem === null ? ok(input) : withLines(problem);
}

async function holderKind(deps: ServiceDependencies, caller: Caller, form: FormValues): Promise<string> {
  if (form.text("holder") === NEW_HOLDER) return form.text("holder_kind");
  const found = await showHolder(deps, caller, form.text("holder"));
  return found.ok ? found.value.kind : "";
}
