import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { checkInput } from "../../api/input.ts";
import { integrationChange } from "../../api/schemas/integrations.ts";
import { changeIntegration, showIntegration } from "../../service/integrations.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { integrationValues, readIntegrationForm } from "../.server/integration-form.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { BehaviourFields, UpstreamFields, VendorKeyField } from "../components/integrations/fields.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Edit integration · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "integration.change");
  const integration = unwrap(await showIntegration(deps, caller, args.params["slug"] ?? ""));
  return { slug: integration.slug, name: integration.name, values: integrationValues(integration) };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const form = await readForm(args.request);
  const secret = form.raw("secret");
  const { deps, caller } = await enter(args, secret === "" ? "integration.change" : "integration.rotate");
  const values = form.echo("secret");
  const slug = args.params["slug"] ?? "";
  const change = { ...readIntegrationForm(form), ...(secret === "" ? {} : { secret }) };
  const input = checkInput(integrationChange, change);
  if (!input.ok) return refuse(input.failure, values);
  const done = await changeIntegration(deps, caller, slug, input.value);
  if (!done.ok) return refuse(done.failure, values);
  const { state, pending, keys } = done.value.enforcement;
  return redirectWith(deps, `/integrations/${slug}`, {
    tone: state === "enforced" ? "good" : "waiting",
    text:
      state === "enforced"
        ? "The change is in force everywhere."
        : `Stored. ${String(pending)} of ${String(keys)} keys wait for the proxy to confirm it.`,
  });
}

export default function EditIntegration() {
  const { slug, name, values: stored } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const back = `/integrations/${slug}`;
  const part = { values: answer?.values ?? stored, failure: answer?.failure };
  return (
    <>
      <PageHeader
        title={`Edit ${name}`}
        back={{ to: back, label: name }}
        note="A change is brought to every key of it, and holds when this page says so."
      />
      <Form method="post" className="max-w-3xl">
        <FormFailure failure={part.failure} />
        <Card title="The vendor">
          <UpstreamFields {...part} />
          <div className="mt-4 max-w-md">
            <VendorKeyField
              failure={part.failure}
              label="Vendor key, again"
              required={false}
              hint="Only to change the upstream, where it expects its key, or whether the key is blotted out of answers: the stored key is sealed for those and opens for nothing else. It replaces the stored one."
            />
          </div>
        </Card>
        <Card title="What travels and what is recorded">
          <BehaviourFields {...part} />
        </Card>
        <div className="mt-6">
          <FormActions>
            <SubmitButton pending="Bringing it everywhere …">Save</SubmitButton>
            <LinkButton to={back} variant="quiet">
              Cancel
            </LinkButton>
          </FormActions>
        </div>
      </Form>
    </>
  );
}
