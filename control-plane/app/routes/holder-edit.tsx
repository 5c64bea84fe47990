import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { changeHolder, showHolder } from "../../service/holders.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { holderValues, readHolderChange } from "../.server/holder-form.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { ConfirmationFields, HolderFields } from "../components/holders/fields.tsx";
import { LimitFields } from "../components/keys/policy-fields.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Edit holder · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "holder.change");
  const holder = unwrap(await showHolder(deps, caller, args.params["holder"] ?? ""));
  return { id: holder.id, name: holder.name, values: holderValues(holder) };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller } = await enter(args, "holder.change");
  const form = await readForm(args.request);
  const change = readHolderChange(form);
  const done = change.ok
    ? await changeHolder(deps, caller, args.params["holder"] ?? "", change.value)
    : change;
  if (!done.ok) return refuse(done.failure, form.echo());
  const { holder, enforcement } = done.value;
  return redirectWith(deps, `/holders/${holder.id}`, {
    tone: enforcement.state === "enforced" ? "good" : "waiting",
    text:
      enforcement.state === "enforced"
        ? "The change is in force for all of its keys."
        : `Stored. ${String(enforcement.pending)} of ${String(enforcement.keys)} keys wait for the proxy to confirm it.`,
  });
}

export default function EditHolder() {
  const { id, name, values } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const back = `/holders/${id}`;
  const part = { values: answer?.values ?? values, failure: answer?.failure };
  return (
    <>
      <PageHeader
        title={`Edit ${name}`}
        back={{ to: back, label: name }}
        note="A change is brought to each of its keys."
      />
      <Form method="post" className="max-w-3xl">
        <FormFailure failure={part.failure} />
        <Card title="Who it is">
          <HolderFields {...part} />
        </Card>
        <Card title="Limits" note="Over all of its keys together. Empty: not limited.">
          <LimitFields {...part} of="holder" />
        </Card>
        <Card
          title="New networks"
          note="How this holder confirms them, where it differs from the organization."
        >
          <ConfirmationFields {...part} />
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
