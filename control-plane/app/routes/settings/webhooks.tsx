import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useActionData, useLoaderData } from "@remix-run/react";
import { readForm } from "../../.server/form.ts";
import { NOTICE_CHOICES, readTypes } from "../../.server/notices.ts";
import { newNonce, once, sentBefore } from "../../.server/once.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { Badge } from "../../components/badge.tsx";
import { SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Code } from "../../components/code-snippet.tsx";
import { fieldError } from "../../components/failure.ts";
import { TextField } from "../../components/field.tsx";
import { FormActions, FormFailure } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";
import { AlreadyMade, FormNonce } from "../../components/once.tsx";
import type { SentBefore } from "../../components/once.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Table } from "../../components/table.tsx";
import { TypeChoices } from "../../components/notice-types.tsx";
import { createEndpoint, listEndpoints } from "../../../service/webhooks/endpoints.ts";

export const meta: MetaFunction = () => [{ title: "Webhooks · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "webhook.read");
  const endpoints = unwrap(await listEndpoints(deps, caller));
  return {
    nonce: newNonce(),
    canChange: caller.role === "admin",
    choices: NOTICE_CHOICES,
    endpoints: endpoints.map(({ id, url, description, types, disabledAt, failingSince }) => ({
      id,
      url,
      description,
      types: types.length,
      state: disabledAt !== null ? "disabled" : failingSince !== null ? "failing" : "in use",
    })),
  };
}

export async function action(
  args: ActionFunctionArgs,
): Promise<
  | Refusal
  | SentBefore
  | { readonly failure: undefined; readonly created: { readonly url: string; readonly secret: string } }
> {
  const { deps, caller } = await enter(args, "webhook.change");
  const form = await readForm(args.request);
  const input = {
    url: form.text("url"),
    description: form.text("description").slice(0, 200),
    types: readTypes(form.all("types")),
  };
  const made = await once(
    { deps, caller },
    form,
    "webhook.change",
    () => createEndpoint(deps, caller, input),
    ({ endpoint }) => endpoint.id,
  );
  if (!made.ok) return refuse(made.failure);
  if (!made.value.isFirst) return sentBefore(made.value.madeId);
  const { endpoint, secret } = made.value.value;
  // Shown by this one answer, and by nothing else.
  return {
    failure: undefined,
    created: { url: endpoint.url, secret: secret.reveal() },
  };
}

const TONES = { "in use": "good", failing: "bad", disabled: "quiet" } as const;

export default function WebhooksPage() {
  const { nonce, endpoints, choices, canChange } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  if (answer !== undefined && "sentBefore" in answer) return <EndpointMadeAlready {...answer.sentBefore} />;
  const created = answer !== undefined && "created" in answer ? answer.created : undefined;
  return (
    <>
      <PageHeader
        title="Webhooks"
        back={{ to: "/settings", label: "Settings" }}
        note="RelayKey tells your programs what happens, signed as the Standard Webhooks specification has it."
      />
      {created !== undefined && (
        <Notice tone="good" title="The endpoint is made. Copy its signing secret now: it is not shown again.">
          <Code text={created.secret} label={`Signing secret of ${created.url}`} />
        </Notice>
      )}
      <Card
        title="Endpoints"
        padded={false}
        empty={
          endpoints.length === 0
            ? "No endpoint yet. One hears of frozen keys and failing integrations as they happen."
            : undefined
        }
      >
        <Table
          caption="Webhook endpoints"
          rows={endpoints}
          keyOf={({ id }) => id}
          columns={[
            {
              heading: "Address",
              cell: ({ id, url, description }) => (
                <span>
                  <Link to={`/settings/webhooks/${id}`} className="break-all text-accent hover:underline">
                    {url}
                  </Link>
                  {description !== "" && <span className="block text-xs text-muted">{description}</span>}
                </span>
              ),
            },
            { heading: "Notices", cell: ({ types }) => (types === 0 ? "all" : String(types)) },
            {
              heading: "State",
              cell: ({ state }) => <Badge tone={TONES[state as keyof typeof TONES]}>{state}</Badge>,
            },
          ]}
        />
      </Card>
      {canChange && (
        <Card title="New endpoint">
          <Form method="post" className="flex flex-col gap-4">
            <FormNonce nonce={nonce} />
            <FormFailure failure={answer?.failure} />
            <TextField
              name="url"
              label="Address"
              type="url"
              required
              placeholder="https://hooks.example.com/relaykey"
              hint="https, a public host name, no query."
              error={fieldError(answer?.failure, "url")}
            />
            <TextField name="description" label="Description" maxLength={200} />
            <TypeChoices choices={choices} chosen={[]} />
            <FormActions>
              <SubmitButton pending="Making …">Make the endpoint</SubmitButton>
            </FormActions>
          </Form>
        </Card>
      )}
    </>
  );
}

const HERE = "/settings/webhooks";

function EndpointMadeAlready({ id }: { readonly id: string | null }) {
  return (
    <AlreadyMade
      what="endpoint"
      secret="its signing secret"
      id={id}
      list={{ to: HERE, label: "Webhooks" }}
      to={(made) => `${HERE}/${made}`}
      lost="If you have not copied it, rotate the secret on the page of the endpoint."
      lostAction={() => null}
      again={HERE}
    />
  );
}
