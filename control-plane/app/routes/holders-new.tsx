import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { createHolder } from "../../service/holders.ts";
import { enterWithForm, forgetDraft, keptForm } from "../.server/draft.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readNewHolder } from "../.server/holder-form.ts";
import { newNonce, once, toWhatWasMade } from "../.server/once.ts";
import { enter, refuse } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { DraftNotice, FormOwner } from "../components/draft.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { HolderFields } from "../components/holders/fields.tsx";
import { LimitFields } from "../components/keys/policy-fields.tsx";
import { FormNonce } from "../components/once.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "New holder · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const visit = await enter(args, "holder.change");
  return { nonce: newNonce(), kept: await keptForm(args, visit) };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller, form } = await enterWithForm(args, "holder.change");
  const input = readNewHolder(form);
  const made = await once(
    { deps, caller },
    form,
    "holder.change",
    async () => (input.ok ? createHolder(deps, caller, input.value) : input),
    ({ id }) => id,
  );
  if (!made.ok) return refuse(made.failure, form.echo());
  await forgetDraft(args);
  const pageOf = (id: string): string => `/holders/${id}`;
  if (!made.value.isFirst) return toWhatWasMade(deps, pageOf, "/holders", made.value.madeId);
  const { id, name } = made.value.value;
  return redirectWith(deps, pageOf(id), { tone: "good", text: `${name} is there. Now give it a key.` });
}

export default function NewHolder() {
  const { nonce, kept } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const part = { values: answer?.values ?? kept.values ?? {}, failure: answer?.failure };
  return (
    <>
      <PageHeader title="New holder" back={{ to: "/holders", label: "Holders" }} />
      <Form method="post" className="max-w-3xl">
        <FormNonce nonce={nonce} />
        <FormOwner kept={kept} />
        <FormFailure failure={part.failure} />
        {answer === undefined && <DraftNotice kept={kept} />}
        <Card title="Who it is">
          <HolderFields {...part} />
        </Card>
        <Card title="Limits" note="Over all of its keys together. Empty: not limited.">
          <LimitFields {...part} of="holder" />
        </Card>
        <div className="mt-6">
          <FormActions>
            <SubmitButton pending="Making it …">Create holder</SubmitButton>
            <LinkButton to="/holders" variant="quiet">
              Cancel
            </LinkButton>
          </FormActions>
        </div>
      </Form>
    </>
  );
}
