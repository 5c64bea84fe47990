import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { checkInput } from "../../api/input.ts";
import { keyChange } from "../../api/schemas/keys.ts";
import { checkPolicy, updatedPolicy } from "../../service/key-policy.ts";
import { changeKey } from "../../service/keys.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { keyOf } from "../.server/key-page.ts";
import { enter, refuse } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { policyValues, previewPolicy, readPolicyForm, withLines } from "../.server/policy-form.ts";
import type { PolicyPreview } from "../.server/policy-form.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { fieldError } from "../components/failure.ts";
import { TextField } from "../components/field.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { useLivePreview } from "../components/keys/live-preview.ts";
import {
  AdvancedFields,
  LimitFields,
  NetworkFields,
  RuleFields,
  TimeFields,
} from "../components/keys/policy-fields.tsx";
import { Preview } from "../components/keys/preview.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Edit key · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "key.change");
  const key = await keyOf(deps, caller, args.params["key"]);
  return {
    id: key.id,
    name: key.name,
    values: policyValues(key),
    preview: previewPolicy(NOTHING_TO_TEST, {
      ...key,
      ip: key.ipMode === "allowlist" ? { mode: "allowlist", cidrs: key.ipCidrs } : { mode: key.ipMode },
    }),
  };
}

const NOTHING_TO_TEST = { text: () => "" };

interface Previewed {
  readonly failure: undefined;
  readonly preview: PolicyPreview;
  readonly values: Readonly<Record<string, string>>;
}

export async function action(args: ActionFunctionArgs): Promise<Previewed | Refusal | Redirect> {
  const { deps, caller } = await enter(args, "key.change");
  const key = await keyOf(deps, caller, args.params["key"]);
  const form = await readForm(args.request);
  const values = form.echo();
  const body = readPolicyForm(form, null);
  const isExpiryKept = body["expires_at"] === `${key.expiresAt?.toISOString().slice(0, 16) ?? ""}:00Z`;
  const read = withLines(
    checkInput(keyChange, {
      ...body,
      not_before: body["not_before"] ?? null,
      // To the minute is what a form can say: an expiry that was not touched stays to the millisecond.
      ...(isExpiryKept ? { expires_at: key.expiresAt?.toISOString() } : {}),
    }),
  );
  if (!read.ok) return refuse(read.failure, values);
  const { expiresAt, ...others } = read.value(deps.now());
  const update = isExpiryKept ? others : { ...others, ...(expiresAt === undefined ? {} : { expiresAt }) };
  if (form.text("intent") === "preview") {
    const policy = updatedPolicy(key, update);
    const problem = checkPolicy(policy, null);
    if (problem !== null) return refuse(problem.failure, values);
    const ip = update.ip ?? { mode: "any" as const };
    return { failure: undefined, preview: previewPolicy(form, { ...policy, ip }), values };
  }
  const done = withLines(await changeKey(deps, caller, key.id, update));
  if (!done.ok) return refuse(done.failure, values);
  return done.value.enforcement.state === "enforced"
    ? redirectWith(deps, `/keys/${key.id}`, { tone: "good", text: "The change is in force everywhere." })
    : redirectWith(deps, `/keys/${key.id}`, {
        tone: "waiting",
        text: "The change is stored, and not confirmed by the proxy yet.",
      });
}

/** What the form would make; of a form that is wrong, nothing. */
function previewOf(
  answer: { readonly preview?: PolicyPreview | null } | object | undefined,
  stored: PolicyPreview,
): PolicyPreview | null {
  if (answer === undefined) return stored;
  return "preview" in answer ? (answer.preview ?? null) : null;
}

export default function EditKey() {
  const shown = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const live = useLivePreview();
  const latest = live.answer ?? answer;
  const values = answer?.values ?? shown.values;
  const failure = answer?.failure;
  const part = { values, failure };
  const back = `/keys/${shown.id}`;
  return (
    <>
      <PageHeader
        title={`Edit “${shown.name}”`}
        back={{ to: back, label: shown.name }}
        note="A change holds everywhere when this page says so: what is narrower is refused from then on, open streams included."
      />
      <Form
        method="post"
        onChange={live.onChange}
        className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]"
      >
        <div>
          <FormFailure failure={failure} />
          <Card title="Name">
            <TextField
              name="name"
              label="Name of the key"
              maxLength={100}
              defaultValue={values["name"] ?? ""}
              error={fieldError(failure, "name")}
            />
          </Card>
          <Card title="Scope" note="What no rule allows is refused.">
            <div className="flex flex-col gap-4">
              <RuleFields {...part} />
            </div>
          </Card>
          <Card title="Network">
            <NetworkFields {...part} hasAuto={false} />
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
              <SubmitButton name="intent" value="change" pending="Bringing it everywhere …">
                Save
              </SubmitButton>
              <LinkButton to={back} variant="quiet">
                Cancel
              </LinkButton>
            </FormActions>
          </div>
        </div>
        <Preview preview={previewOf(latest, shown.preview)} failure={latest?.failure} values={values} />
      </Form>
    </>
  );
}
