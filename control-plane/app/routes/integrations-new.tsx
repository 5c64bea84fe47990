import { CATALOGUE } from "@relaykey/core/catalogue/index";
import { PROBE_VERDICTS } from "@relaykey/core/probe";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { checkInput } from "../../api/input.ts";
import { integrationInput } from "../../api/schemas/integrations.ts";
import { createIntegration } from "../../service/integrations.ts";
import { testNewIntegration, testVendorKey } from "../../service/vendor-keys.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { enterWithForm, forgetDraft, keptForm } from "../.server/draft.ts";
import { chosenEntry, newIntegrationValues, readIntegrationForm } from "../.server/integration-form.ts";
import { newNonce, once, toWhatWasMade } from "../.server/once.ts";
import { enter, refuse } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { DraftNotice, FormOwner } from "../components/draft.tsx";
import { fieldError } from "../components/failure.ts";
import { TextField } from "../components/field.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { BehaviourFields, UpstreamFields, VendorKeyField } from "../components/integrations/fields.tsx";
import { ProbeNotice } from "../components/integrations/probe-result.tsx";
import type { ShownProbe } from "../components/integrations/probe-result.tsx";
import { FormNonce } from "../components/once.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Add integration · RelayKey" }];

/** Beside the vendor key, which is never kept: what may be one, too. */
const NEVER_KEPT = ["credential.password"];
/** An integration without a catalogue entry. */
const OTHER = "other";

export async function loader(args: LoaderFunctionArgs) {
  const visit = await enter(args, "integration.change");
  const { deps, url } = visit;
  const entry = chosenEntry(url);
  const from = entry?.slug ?? (url.searchParams.get("from") === OTHER ? OTHER : null);
  return {
    nonce: newNonce(),
    kept: await keptForm(args, visit),
    from,
    vendor: entry?.name ?? null,
    proxy: deps.proxyUrl,
    isFirst: url.searchParams.get("then") === "start",
    values: newIntegrationValues(entry),
    catalogue: CATALOGUE.map(({ slug, name, upstream }) => ({ slug, name, host: new URL(upstream).host })),
  };
}

interface Tried {
  readonly failure: undefined;
  readonly probe: ShownProbe;
  readonly values: Readonly<Record<string, string>>;
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal | Tried> {
  const { deps, caller, url, form } = await enterWithForm(args, "integration.change", NEVER_KEPT);
  const values = form.echo();
  const input = checkInput(integrationInput, {
    ...readIntegrationForm(form),
    slug: form.text("slug"),
    secret: form.raw("secret"),
    catalogue: chosenEntry(url)?.slug ?? null,
  });
  if (!input.ok) return refuse(input.failure, values);
  if (form.text("intent") === "test") {
    const tried = await testNewIntegration(deps, caller, input.value);
    if (!tried.ok) return refuse(tried.failure, values);
    const { verdict, latencyMs } = tried.value;
    return { failure: undefined, probe: { verdict, words: PROBE_VERDICTS[verdict], latencyMs }, values };
  }
  const isFirstStep = url.searchParams.get("then") === "start";
  const then = (made: string): string => (isFirstStep ? "/start" : `/integrations/${made}`);
  const made = await once(
    { deps, caller },
    form,
    "integration.change",
    () => createIntegration(deps, caller, input.value),
    ({ slug }) => slug,
  );
  if (!made.ok) return refuse(made.failure, values);
  await forgetDraft(args);
  if (!made.value.isFirst) return toWhatWasMade(deps, then, "/integrations", made.value.madeId);
  const { slug, name } = made.value.value;
  // Whether the vendor takes it is shown on the page that follows; it is no reason not to keep it.
  const tried = await testVendorKey(deps, caller, slug, null);
  const verdict = tried.ok ? tried.value.verdict : "unreachable";
  return redirectWith(deps, then(slug), {
    tone: verdict === "accepted" ? "good" : verdict === "refused" ? "bad" : "waiting",
    text: `${name} is added. ${PROBE_VERDICTS[verdict]}`,
  });
}

const BACK = { to: "/integrations", label: "Integrations" };

export default function NewIntegration() {
  const shown = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  if (shown.from === null) return <Catalogue {...shown} />;
  const values = answer?.values ?? shown.kept.values ?? shown.values;
  const failure = answer?.failure;
  const part = { values, failure };
  const isOther = shown.from === OTHER;
  return (
    <>
      <PageHeader
        title={shown.vendor === null ? "Add an integration" : `Add ${shown.vendor}`}
        back={{ to: `/integrations/new${shown.isFirst ? "?then=start" : ""}`, label: "Catalogue" }}
      />
      <Form method="post" autoComplete="off" className="max-w-3xl">
        <FormNonce nonce={shown.nonce} />
        <FormOwner kept={shown.kept} />
        <FormFailure failure={failure} />
        {answer === undefined && <DraftNotice kept={shown.kept} secret="the vendor key" />}
        {answer !== undefined && "probe" in answer && <ProbeNotice probe={answer.probe} />}
        <Card title="The vendor's key">
          <div className="flex flex-col gap-4">
            <VendorKeyField
              failure={failure}
              isAgain={answer !== undefined || shown.kept.values !== null}
              label={shown.vendor === null ? "Vendor key" : `${shown.vendor} key`}
            />
            <TextField
              name="slug"
              label="Address"
              hint={`Callers use ${shown.proxy}/${values["slug"] === "" ? "address" : (values["slug"] ?? "address")}/… It cannot be changed later.`}
              defaultValue={values["slug"] ?? ""}
              error={fieldError(failure, "slug")}
              spellCheck={false}
              required
            />
          </div>
        </Card>
        {isOther ? (
          <>
            <Card title="The vendor">
              <UpstreamFields {...part} />
            </Card>
            <Card title="What travels and what is recorded">
              <BehaviourFields {...part} />
            </Card>
          </>
        ) : (
          <details
            className="mt-8 rounded-xl border border-line bg-surface p-4 sm:p-6"
            open={failure !== undefined}
          >
            <summary className="cursor-pointer text-sm font-medium">
              <span aria-hidden="true">▸ </span>Everything else is set as {shown.vendor} needs it. Look, or
              change it
            </summary>
            <div className="mt-5 flex flex-col gap-8">
              <UpstreamFields {...part} />
              <BehaviourFields {...part} />
            </div>
          </details>
        )}
        <div className="mt-6">
          <FormActions>
            <SubmitButton name="intent" value="create" pending="Adding and testing …">
              Add and test the key
            </SubmitButton>
            <SubmitButton name="intent" value="test" variant="secondary" pending="Asking the vendor …">
              Only test the key
            </SubmitButton>
            <LinkButton to={shown.isFirst ? "/start" : "/integrations"} variant="quiet">
              Cancel
            </LinkButton>
          </FormActions>
        </div>
      </Form>
    </>
  );
}

function Catalogue({ catalogue, isFirst }: Awaited<ReturnType<typeof loader>>) {
  const to = (slug: string): string => `?from=${slug}${isFirst ? "&then=start" : ""}`;
  return (
    <>
      <PageHeader
        title="Add an integration"
        back={isFirst ? { to: "/start", label: "First steps" } : BACK}
        note="Whose key shall RelayKey keep? Address, headers and the place of the key are known for these."
      />
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {catalogue.map(({ slug, name, host }) => (
          <Tile key={slug} to={to(slug)} name={name} note={host} />
        ))}
        <Tile to={to(OTHER)} name="Another API" note="any https host, your own too" />
      </ul>
    </>
  );
}

function Tile({ to, name, note }: { readonly to: string; readonly name: string; readonly note: string }) {
  return (
    <li>
      <LinkButton to={to} className="w-full !justify-start !gap-3 !p-4 text-left">
        <span
          aria-hidden="true"
          className="grid size-9 shrink-0 place-items-center rounded-lg bg-accent-soft font-semibold text-accent"
        >
          {name.slice(0, 1)}
        </span>
        <span className="min-w-0">
          <span className="block font-medium">{name}</span>
          <span className="block truncate text-xs font-normal text-muted">{note}</span>
        </span>
      </LinkButton>
    </li>
  );
}
