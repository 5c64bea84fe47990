import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { isId } from "@relaykey/core/ids";
import { redirectWith } from "../../.server/flash.ts";
import type { Redirect } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { NOTICE_CHOICES, readTypes } from "../../.server/notices.ts";
import { enter, readCursor, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton, SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Code } from "../../components/code-snippet.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { DeliveryAttempts } from "../../components/delivery-attempts.tsx";
import { fieldError } from "../../components/failure.ts";
import { TextField } from "../../components/field.tsx";
import { FormActions, FormFailure } from "../../components/form.tsx";
import { Ago } from "../../components/moment.tsx";
import { Notice } from "../../components/notice.tsx";
import { TypeChoices } from "../../components/notice-types.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pagination } from "../../components/pagination.tsx";
import { Table } from "../../components/table.tsx";
import { fail } from "../../../service/outcome.ts";
import {
  listDeliveries,
  replayDelivery,
  replaySince,
  testEndpoint,
} from "../../../service/webhooks/deliveries.ts";
import {
  changeEndpoint,
  deleteEndpoint,
  rotateSecret,
  showEndpoint,
} from "../../../service/webhooks/endpoints.ts";

export const meta: MetaFunction = () => [{ title: "Webhook · RelayKey" }];

const REPLAY_HOURS = 24;

/** What is no id is no endpoint of the caller's. */
function endpointIn(params: LoaderFunctionArgs["params"]): string {
  const id = params["webhook"] ?? "";
  return isId(id) ? id : unwrap(fail("not_found"));
}

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "webhook.read");
  const id = endpointIn(args.params);
  const endpoint = unwrap(await showEndpoint(deps, caller, id));
  const page = { limit: 25, cursor: readCursor(url.searchParams) };
  const deliveries = unwrap(await listDeliveries(deps, caller, id, {}, page));
  return {
    canChange: caller.role === "admin",
    choices: NOTICE_CHOICES,
    endpoint: {
      id,
      url: endpoint.url,
      description: endpoint.description,
      types: endpoint.types,
      isEnabled: endpoint.disabledAt === null,
      disabledBy: endpoint.disabledBy,
      failingSince: endpoint.failingSince?.toISOString() ?? null,
    },
    deliveries: deliveries.entries.map(({ delivery, notice }) => ({
      id: delivery.id,
      type: notice.type,
      at: delivery.createdAt.toISOString(),
      state: delivery.state,
      attempts: delivery.attempts,
      log: delivery.log.toReversed(),
      answer: delivery.lastStatus === null ? delivery.lastError : String(delivery.lastStatus),
      nextAt: delivery.state === "waiting" ? delivery.nextAttemptAt.toISOString() : null,
    })),
    nextCursor: deliveries.nextCursor,
  };
}

export async function action(
  args: ActionFunctionArgs,
): Promise<Redirect | Refusal | { readonly failure: undefined; readonly secret: string }> {
  const { deps, caller } = await enter(args, "webhook.change");
  const id = endpointIn(args.params);
  const here = `/settings/webhooks/${id}`;
  const form = await readForm(args.request);
  switch (form.text("intent")) {
    case "test": {
      const sent = await testEndpoint(deps, caller, id);
      if (!sent.ok) return refuse(sent.failure);
      const { state, lastStatus, lastError } = sent.value.delivery;
      return redirectWith(
        deps,
        here,
        state === "delivered"
          ? { tone: "good", text: `The test was taken with ${String(lastStatus)}.` }
          : {
              tone: "bad",
              text: `The test was not taken: ${String(lastStatus ?? lastError)}. It is tried again.`,
            },
      );
    }
    case "replay": {
      const delivery = form.text("delivery");
      const sent = isId(delivery) ? await replayDelivery(deps, caller, id, delivery) : fail("not_found");
      if (!sent.ok) return refuse(sent.failure);
      const isDelivered = sent.value.delivery.state === "delivered";
      return redirectWith(deps, here, {
        tone: isDelivered ? "good" : "bad",
        text: isDelivered ? "Sent again, and taken." : "Sent again, and not taken. It is tried again.",
      });
    }
    case "replay-day": {
      const sent = await replaySince(deps, caller, id, new Date(deps.now() - REPLAY_HOURS * 3_600_000));
      if (!sent.ok) return refuse(sent.failure);
      const { waiting } = sent.value;
      return redirectWith(deps, here, {
        tone: "good",
        text: `${String(waiting)} messages are on their way.`,
      });
    }
    case "rotate": {
      const rotated = await rotateSecret(deps, caller, id);
      if (!rotated.ok) return refuse(rotated.failure);
      // Shown by this one answer, and by nothing else.
      return { failure: undefined, secret: rotated.value.secret.reveal() };
    }
    case "enable":
    case "disable": {
      const enabled = form.text("intent") === "enable";
      const changed = await changeEndpoint(deps, caller, id, { enabled });
      if (!changed.ok) return refuse(changed.failure);
      return redirectWith(deps, here, {
        tone: "good",
        text: enabled ? "The endpoint is enabled." : "The endpoint is disabled.",
      });
    }
    case "delete": {
      const deleted = await deleteEndpoint(deps, caller, id);
      if (!deleted.ok) return refuse(deleted.failure);
      return redirectWith(deps, "/settings/webhooks", { tone: "good", text: "The endpoint is deleted." });
    }
    default: {
      const changed = await changeEndpoint(deps, caller, id, {
        url: form.text("url"),
        description: form.text("description").slice(0, 200),
        types: readTypes(form.all("types")),
      });
      if (!changed.ok) return refuse(changed.failure);
      return redirectWith(deps, here, { tone: "good", text: "The endpoint is changed." });
    }
  }
}

const TONES = { delivered: "good", waiting: "waiting", dead: "bad" } as const;

export default function WebhookPage() {
  const { endpoint, deliveries, choices, canChange, nextCursor } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [search] = useSearchParams();
  const secret = answer !== undefined && "secret" in answer ? answer.secret : undefined;
  const here = `/settings/webhooks/${endpoint.id}`;
  return (
    <>
      <PageHeader
        title={<span className="break-all">{endpoint.url}</span>}
        note={endpoint.description}
        back={{ to: "/settings/webhooks", label: "Webhooks" }}
        actions={
          canChange ? (
            <Form method="post" className="flex flex-wrap gap-2">
              <SubmitButton variant="secondary" name="intent" value="test" pending="Sending …">
                Send a test
              </SubmitButton>
              <SubmitButton variant="secondary" name="intent" value="rotate" pending="Rotating …">
                Rotate secret
              </SubmitButton>
              <SubmitButton
                variant="secondary"
                name="intent"
                value={endpoint.isEnabled ? "disable" : "enable"}
              >
                {endpoint.isEnabled ? "Disable" : "Enable"}
              </SubmitButton>
              <LinkButton to="?confirm=delete" variant="quiet">
                Delete
              </LinkButton>
            </Form>
          ) : undefined
        }
      />
      {search.get("confirm") === "delete" && (
        <ConfirmDialog title="Delete this endpoint?" confirm="Delete" intent="delete" closeTo={here}>
          <p>Nothing more is sent to it, and the list of its deliveries goes with it. Notices stay.</p>
        </ConfirmDialog>
      )}
      {!endpoint.isEnabled && (
        <Notice tone="bad" title="Nothing is sent to this endpoint.">
          {endpoint.disabledBy === "failures"
            ? "It was disabled after it failed for days, or answered 410. Enable it, then send what it has missed."
            : "An admin disabled it."}
        </Notice>
      )}
      {endpoint.isEnabled && endpoint.failingSince !== null && (
        <Notice tone="waiting">
          Every attempt has failed since <Ago iso={endpoint.failingSince} />.
        </Notice>
      )}
      {secret !== undefined && (
        <Notice tone="good" title="Copy the new signing secret now: it is not shown again.">
          <Code text={secret} label="Signing secret" />
          <p className="mt-2">For 24 hours messages are signed with the former secret as well.</p>
        </Notice>
      )}
      <FormFailure failure={answer?.failure} />
      <Card
        title="Deliveries"
        note="Newest first. What fails is tried again for a day."
        padded={false}
        empty={deliveries.length === 0 ? "Nothing was sent yet." : undefined}
        actions={
          canChange ? (
            <Form method="post">
              <SubmitButton
                variant="secondary"
                size="sm"
                name="intent"
                value="replay-day"
                pending="Sending …"
              >
                Send what was missed in 24 hours
              </SubmitButton>
            </Form>
          ) : undefined
        }
      >
        <Table
          caption="Deliveries"
          rows={deliveries}
          keyOf={({ id }) => id}
          columns={[
            { heading: "When", cell: ({ at }) => <Ago iso={at} /> },
            { heading: "Notice", cell: ({ type }) => <code className="text-xs">{type}</code> },
            { heading: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
            {
              heading: "Attempts",
              cell: ({ attempts, log }) => <DeliveryAttempts count={attempts} log={log} />,
            },
            { heading: "Answer", cell: ({ answer: last }) => last ?? "none yet" },
            { heading: "Next", cell: ({ nextAt }) => (nextAt === null ? "–" : <Ago iso={nextAt} />) },
            {
              heading: "Again",
              quiet: true,
              cell: ({ id, type }) =>
                canChange && (
                  <Form method="post">
                    <input type="hidden" name="intent" value="replay" />
                    <input type="hidden" name="delivery" value={id} />
                    <SubmitButton variant="quiet" size="sm" aria-label={`Send again: ${type}`}>
                      Send again
                    </SubmitButton>
                  </Form>
                ),
            },
          ]}
        />
      </Card>
      <Pagination nextCursor={nextCursor} />
      {canChange && (
        <Card title="Change">
          <Form method="post" className="flex flex-col gap-4">
            <TextField
              name="url"
              label="Address"
              type="url"
              required
              defaultValue={endpoint.url}
              error={fieldError(answer?.failure, "url")}
            />
            <TextField
              name="description"
              label="Description"
              maxLength={200}
              defaultValue={endpoint.description}
            />
            <TypeChoices choices={choices} chosen={endpoint.types} />
            <FormActions>
              <SubmitButton pending="Saving …">Save</SubmitButton>
            </FormActions>
          </Form>
        </Card>
      )}
    </>
  );
}
