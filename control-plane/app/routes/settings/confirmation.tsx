import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { redirectWith } from "../../.server/flash.ts";
import type { Redirect } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { changeConfirmation, showConfirmation } from "../../../service/confirmation-policy.ts";
import { SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { fieldError } from "../../components/failure.ts";
import { Checkbox, TextArea, TextField } from "../../components/field.tsx";
import { FormActions, FormFailure } from "../../components/form.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "New addresses · RelayKey" }];

interface Shown {
  readonly policy: ConfirmationPolicy;
  readonly mayChange: boolean;
}

export async function loader(args: LoaderFunctionArgs): Promise<Shown> {
  const { deps, caller } = await enter(args, "organization.read");
  return { policy: unwrap(await showConfirmation(deps, caller)), mayChange: caller.role === "admin" };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller } = await enter(args, "organization.change");
  const form = await readForm(args.request);
  const days = form.optional("trustDays");
  const changed = await changeConfirmation(deps, caller, {
    trustOnFirstUse: form.flag("trustOnFirstUse"),
    numberMatching: form.flag("numberMatching"),
    trustDays: days === null ? null : Number(days),
    v6Prefix: Number(form.text("v6Prefix")),
    preapproved: form.lines("preapproved"),
    neverConfirmable: form.lines("neverConfirmable"),
  });
  if (!changed.ok) return refuse(changed.failure);
  const { state, keys, pending } = changed.value;
  return redirectWith(
    deps,
    "/settings/confirmation",
    state === "enforced"
      ? { tone: "good", text: `Saved, and in force for ${String(keys)} of the keys.` }
      : {
          tone: "waiting",
          text: `Saved. ${String(pending)} keys wait for the proxy; they are tried again each minute.`,
        },
  );
}

export default function Confirmation() {
  const { policy, mayChange } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  const wrong = (name: string) => fieldError(failure, name);
  return (
    <>
      <PageHeader
        back={{ to: "/settings", label: "Settings" }}
        title="New addresses"
        note="A person's key that is used from a new address is refused until its holder confirms the address by mail. Holders may differ from what is set here."
      />
      <Card title="How addresses are confirmed">
        <Form method="post">
          <fieldset disabled={!mayChange} className="flex flex-col gap-6">
            <FormFailure failure={failure} />
            <Checkbox
              name="trustOnFirstUse"
              label="Trust the first address of a key"
              hint="Otherwise the very first one has to be confirmed, too."
              defaultChecked={policy.trustOnFirstUse}
            />
            <Checkbox
              name="numberMatching"
              label="Ask for the number of the refused call"
              hint="The person types the number that the refused call was answered with: nobody can confirm a stranger's call by habit."
              defaultChecked={policy.numberMatching}
            />
            <div className="grid gap-6 sm:grid-cols-2">
              <TextField
                name="trustDays"
                label="Confirm again after days without use"
                hint="Empty: never."
                inputMode="numeric"
                defaultValue={policy.trustDays ?? ""}
                error={wrong("trustDays")}
              />
              <TextField
                name="v6Prefix"
                label="Bits of an IPv6 address that count as one client"
                hint="64 is one household or office."
                inputMode="numeric"
                required
                defaultValue={policy.v6Prefix}
                error={wrong("v6Prefix")}
              />
            </div>
            <TextArea
              mono
              name="preapproved"
              label="Blocks that need no confirmation"
              hint="One a line, such as 203.0.113.0/24: your offices, your VPN."
              defaultValue={policy.preapproved.join("\n")}
              error={wrong("preapproved")}
            />
            <TextArea
              mono
              name="neverConfirmable"
              label="Blocks that nobody can confirm"
              hint="Addresses that strangers share, such as a public VPN's. Those of Cloudflare's Workers always count."
              defaultValue={policy.neverConfirmable.join("\n")}
              error={wrong("neverConfirmable")}
            />
            {mayChange ? (
              <FormActions>
                <SubmitButton pending="Saving …">Save</SubmitButton>
              </FormActions>
            ) : (
              <p className="text-sm text-muted">Admins can change this.</p>
            )}
          </fieldset>
        </Form>
      </Card>
    </>
  );
}
