import { data } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import type { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { showIntegration } from "../../service/integrations.ts";
import { showNames } from "../../service/inventory.ts";
import { createKeyFromForm, presetsOf, previewKey } from "../.server/create-key.ts";
import { enterWithForm, forgetDraft, keptForm } from "../.server/draft.ts";
import { newNonce, once, sentBefore } from "../.server/once.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { DraftNotice, FormOwner } from "../components/draft.tsx";
import type { KeptForm } from "../components/draft.tsx";
import type { ShownFailure } from "../components/failure.ts";
import { fieldError } from "../components/failure.ts";
import { SelectField, TextField } from "../components/field.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { useLivePreview } from "../components/keys/live-preview.ts";
import {
  AdvancedFields,
  LimitFields,
  NetworkFields,
  ScopeFields,
  TimeFields,
} from "../components/keys/policy-fields.tsx";
import { Preview } from "../components/keys/preview.tsx";
import { KeyMadeAlready, Reveal } from "../components/keys/reveal.tsx";
import type { Revealed } from "../components/keys/reveal.tsx";
import { FormNonce } from "../components/once.tsx";
import type { SentBefore } from "../components/once.tsx";
import { PageHeader } from "../components/page-header.tsx";
import type { Back } from "../components/page-header.tsx";
import { EmptyState } from "../components/states.tsx";
import type { PolicyPreview } from "../.server/policy-form.ts";

export const meta: MetaFunction = () => [{ title: "New key · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const visit = await enter(args, "key.create");
  const { deps, caller, url } = visit;
  const { integrations, holders } = unwrap(await showNames(deps, caller));
  const slug =
    url.searchParams.get("integration") ?? (integrations.length === 1 ? integrations[0]?.slug : null);
  const integration = slug == null ? null : unwrap(await showIntegration(deps, caller, slug));
  return {
    nonce: newNonce(),
    kept: await keptForm(args, visit),
    isFirst: url.searchParams.get("then") === "start",
    integrations: integrations.map(({ slug: each, name, enabled }) => ({ slug: each, name, enabled })),
    holders: holders.map(({ id, name, kind }) => ({ id, name, kind })),
    holder: url.searchParams.get("holder") ?? "",
    integration:
      integration === null
        ? null
        : { slug: integration.slug, name: integration.name, presets: presetsOf(integration) },
  };
}

interface Previewed {
  readonly failure: undefined;
  readonly preview: PolicyPreview;
  readonly values: Readonly<Record<string, string>>;
}

interface Made {
  readonly failure: undefined;
  readonly revealed: Revealed;
}

type Refused = ReturnType<typeof refuse>;

export async function action(
  args: ActionFunctionArgs,
): Promise<Previewed | Refused | SentBefore | ReturnType<typeof data<Made>>> {
  const { deps, caller, url, form } = await enterWithForm(args, "key.create");
  const values = form.echo();
  const slug = url.searchParams.get("integration") ?? form.text("integration");
  const integration = unwrap(await showIntegration(deps, caller, slug));
  if (form.text("intent") === "preview") {
    const preview = await previewKey(deps, caller, form, integration);
    return preview.ok
      ? { failure: undefined, preview: preview.value, values }
      : refuse(preview.failure, values);
  }
  const made = await once(
    { deps, caller },
    form,
    "key.create",
    () => createKeyFromForm(deps, caller, form, integration),
    ({ keyId }) => keyId,
  );
  if (!made.ok) return refuse(made.failure, values);
  await forgetDraft(args);
  return made.value.isFirst
    ? data({ failure: undefined, revealed: made.value.value }, { status: 201 })
    : sentBefore(made.value.madeId);
}

const BACK = { to: "/keys", label: "Keys" };
const TO_FIRST_STEPS = { to: "/start", label: "First steps" };

export default function NewKey() {
  const shown = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const back = shown.isFirst ? TO_FIRST_STEPS : BACK;
  if (answer !== undefined && "revealed" in answer) return <Reveal revealed={answer.revealed} back={back} />;
  if (answer !== undefined && "sentBefore" in answer) return <KeyMadeAlready {...answer.sentBefore} />;
  if (shown.integrations.length === 0) {
    return (
      <>
        <PageHeader title="New key" back={BACK} />
        <EmptyState
          title="Add an integration first"
          action={
            <LinkButton to="/integrations/new" variant="primary">
              Add an integration
            </LinkButton>
          }
        >
          A key stands for the vendor key of one integration.
        </EmptyState>
      </>
    );
  }
  if (shown.integration === null) return <ChooseIntegration {...shown} />;
  return <KeyForm {...shown} back={back} integration={shown.integration} answer={answer} />;
}

type Shown = Awaited<ReturnType<typeof loader>>;

/** The first step: what the key is for decides what it can be allowed. */
function ChooseIntegration({ integrations, holder }: Shown) {
  const suffix = holder === "" ? "" : `&holder=${encodeURIComponent(holder)}`;
  return (
    <>
      <PageHeader title="New key" back={BACK} note="Which integration is it for?" />
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {integrations.map(({ slug, name, enabled }) => (
          <li key={slug}>
            <LinkButton
              to={`?integration=${encodeURIComponent(slug)}${suffix}`}
              className="w-full !justify-start !p-4 text-left !whitespace-normal"
            >
              <span className="min-w-0">
                <span className="block font-medium">{name}</span>
                <span className="block font-mono text-xs font-normal text-muted">
                  {slug}
                  {!enabled && " · disabled"}
                </span>
              </span>
            </LinkButton>
          </li>
        ))}
      </ul>
    </>
  );
}

interface FormAnswer {
  readonly failure?: ShownFailure | undefined;
  readonly preview?: PolicyPreview;
  readonly values: Readonly<Record<string, string>>;
}

function KeyForm(props: {
  readonly integration: NonNullable<Shown["integration"]>;
  readonly integrations: Shown["integrations"];
  readonly holders: Shown["holders"];
  readonly holder: string;
  readonly nonce: string;
  readonly kept: KeptForm;
  readonly back: Back;
  readonly answer: FormAnswer | undefined;
}) {
  const { integration, integrations, holders, holder, back, answer } = props;
  const values = answer?.values ?? props.kept.values ?? {};
  const failure = answer?.failure;
  const live = useLivePreview();
  const preview = live.answer === undefined ? answer : live.answer;
  const part = { values, failure };
  return (
    <>
      <PageHeader
        title={`New key for ${integration.name}`}
        back={back}
        {...(integrations.length > 1
          ? { actions: <LinkButton to="/keys/new">Another integration</LinkButton> }
          : {})}
      />
      <Form
        method="post"
        onChange={live.onChange}
        className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]"
      >
        <div>
          <input type="hidden" name="integration" value={integration.slug} />
          <FormNonce nonce={props.nonce} />
          <FormOwner kept={props.kept} />
          <FormFailure failure={failure} />
          {answer === undefined && <DraftNotice kept={props.kept} />}
          <Card title="Who holds it">
            <HolderFields {...part} holders={holders} holder={values["holder"] ?? holder} />
          </Card>
          <Card title="Scope" note="What no rule allows is refused.">
            <ScopeFields {...part} presets={integration.presets} />
          </Card>
          <Card title="Network">
            <NetworkFields {...part} hasAuto />
          </Card>
          <Card title="Time and limits">
            <div className="flex flex-col gap-4">
              <TimeFields {...part} />
              <LimitFields {...part} of="key" />
              <AdvancedFields {...part} />
            </div>
          </Card>
          <div className="mt-6">
            <FormActions>
              <SubmitButton name="intent" value="create" pending="Making the key …">
                Create key
              </SubmitButton>
              <LinkButton to={back.to} variant="quiet">
                Cancel
              </LinkButton>
            </FormActions>
          </div>
        </div>
        <Preview preview={preview?.preview ?? null} failure={preview?.failure} values={values} />
      </Form>
    </>
  );
}

const KIND_WORDS: Readonly<Record<(typeof HOLDER_KINDS)[number], string>> = {
  person: "A person",
  application: "An application",
  service: "A service or job",
  agent: "An agent",
  vendor: "A vendor",
};

function HolderFields(props: {
  readonly values: Readonly<Record<string, string>>;
  readonly failure: ShownFailure | undefined;
  readonly holders: Shown["holders"];
  readonly holder: string;
}) {
  const { values, failure, holders, holder } = props;
  return (
    <div className="group/holder flex flex-col gap-4">
      <SelectField
        name="holder"
        label="Holder"
        defaultValue={holder === "" ? (holders[0]?.id ?? NEW_HOLDER_CHOICE) : holder}
        error={fieldError(failure, "holder")}
        choices={[
          ...holders.map(({ id, name, kind }) => ({ value: id, label: `${name} (${kind})` })),
          { value: NEW_HOLDER_CHOICE, label: "A new holder …" },
        ]}
      />
      <div className="hidden gap-4 group-has-[option[value=new]:checked]/holder:grid sm:grid-cols-3">
        <TextField
          name="holder_name"
          label="Name"
          placeholder="ci"
          maxLength={100}
          defaultValue={values["holder_name"] ?? ""}
          error={fieldError(failure, "holder_name")}
        />
        <SelectField
          name="holder_kind"
          label="It is"
          defaultValue={values["holder_kind"] ?? "service"}
          error={fieldError(failure, "holder_kind")}
          choices={Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))}
        />
        <TextField
          name="holder_email"
          type="email"
          label="E-mail"
          hint="People need one: new networks are confirmed there."
          defaultValue={values["holder_email"] ?? ""}
          error={fieldError(failure, "holder_email")}
        />
      </div>
      <TextField
        name="name"
        label="Name of the key"
        hint="Empty: holder and integration."
        maxLength={100}
        defaultValue={values["name"] ?? ""}
        error={fieldError(failure, "name")}
      />
    </div>
  );
}

/** As the server knows it (create-key), which no component may import. */
const NEW_HOLDER_CHOICE = "new";
