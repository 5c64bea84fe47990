import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { checkInput } from "../../api/input.ts";
import { keyChange } from "../../api/schemas/keys.ts";
import { changeKey } from "../../service/keys.ts";
import { proposeTightening } from "../../service/tightening.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { keyOf } from "../.server/key-page.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { readPolicyForm, withLines, writeRuleLine } from "../.server/policy-form.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SelectField } from "../components/field.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { RuleDiff } from "../components/keys/rule-list.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { EmptyState } from "../components/states.tsx";

export const meta: MetaFunction = () => [{ title: "Tighten key · RelayKey" }];

const DAYS = [7, 30, 90, 365] as const;
const DEFAULT_DAYS = 30;
const SHOWN_KINDS = 10;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "key.change");
  const key = await keyOf(deps, caller, args.params["key"]);
  const days = DAYS.find((each) => String(each) === url.searchParams.get("days")) ?? DEFAULT_DAYS;
  const { scope, replay, replayDays, requests } = unwrap(await proposeTightening(deps, caller, key.id, days));
  return {
    id: key.id,
    name: key.name,
    days,
    requests,
    before: key.rules.map(writeRuleLine),
    after: scope.rules.map(writeRuleLine),
    bindings: Object.entries(scope.bindings).map(([name, value]) => `${name}=${value}`),
    policyVersion: key.policyVersion,
    replay: {
      days: replayDays,
      allowed: replay.allowed,
      refused: replay.refused,
      unknown: replay.unknown,
      kinds: replay.refusedKinds
        .slice(0, SHOWN_KINDS)
        .map(({ method, path, count }) => ({ method, path, count })),
      moreKinds: Math.max(0, replay.refusedKinds.length - SHOWN_KINDS),
    },
  };
}

export async function action(args: ActionFunctionArgs): Promise<Refusal | Redirect> {
  const { deps, caller } = await enter(args, "key.change");
  const key = await keyOf(deps, caller, args.params["key"]);
  const form = await readForm(args.request);
  // What was looked at is what is applied; nothing else of the policy changes.
  const { allow, bindings } = readPolicyForm(form, null);
  const read = withLines(checkInput(keyChange, { allow, bindings }));
  if (!read.ok) return refuse(read.failure);
  const done = await changeKey(deps, caller, key.id, read.value(deps.now()));
  if (!done.ok) return refuse(done.failure);
  return done.value.enforcement.state === "enforced"
    ? redirectWith(deps, `/keys/${key.id}`, {
        tone: "good",
        text: "The narrower scope is in force everywhere.",
      })
    : redirectWith(deps, `/keys/${key.id}`, {
        tone: "waiting",
        text: "The narrower scope is stored, and not confirmed by the proxy yet.",
      });
}

export default function TightenKey() {
  const shown = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const { id, name, days, requests, before, after, bindings, replay } = shown;
  const back = `/keys/${id}`;
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  return (
    <>
      <PageHeader
        title={`Tighten “${name}”`}
        back={{ to: back, label: name }}
        note="The least scope that its requests show to be enough. It allows nothing that the scope of today does not."
      />
      <div>
        <FormFailure failure={answer?.failure} />
        <Form method="get" className="mb-6 flex flex-wrap items-end gap-3">
          <SelectField
            name="days"
            label="Worked out from the requests of"
            defaultValue={String(days)}
            choices={DAYS.map((each) => ({ value: String(each), label: `the last ${String(each)} days` }))}
          />
          <SubmitButton variant="secondary">Look again</SubmitButton>
        </Form>
        {requests === 0 ? (
          <EmptyState title="No request to go by" action={<LinkButton to={back}>Back to the key</LinkButton>}>
            The audit log holds no allowed request of this key in these days. If nobody needs it, revoke it
            instead.
          </EmptyState>
        ) : isSame ? (
          <EmptyState
            title="It is as narrow as its use"
            action={<LinkButton to={back}>Back to the key</LinkButton>}
          >
            {words(requests)} in these days needed all that the scope allows.
          </EmptyState>
        ) : (
          <>
            <Card
              title="What would change"
              note={`From ${words(requests)} in the last ${String(days)} days: ${String(before.length)} ${before.length === 1 ? "rule" : "rules"} today, ${String(after.length)} then.`}
            >
              <RuleDiff before={before} after={after} />
              {bindings.length > 0 && (
                <p className="mt-3 font-mono text-xs text-muted">{bindings.join(" · ")}</p>
              )}
            </Card>
            <Card
              title="Replayed over the log"
              note={`Every allowed request of the last ${String(replay.days)} days, judged by the new scope with the code that the proxy runs.`}
            >
              <ReplayResult replay={replay} />
            </Card>
            <Form method="post" className="mt-6">
              <input type="hidden" name="allow" value={after.join("\n")} />
              <input type="hidden" name="bindings" value={bindings.join("\n")} />
              <FormActions>
                <SubmitButton
                  variant={replay.refused > 0 ? "danger" : "primary"}
                  pending="Bringing it everywhere …"
                >
                  {replay.refused > 0 ? "Apply it all the same" : "Apply the narrower scope"}
                </SubmitButton>
                <LinkButton to={back} variant="quiet">
                  Leave it as it is
                </LinkButton>
              </FormActions>
            </Form>
          </>
        )}
      </div>
    </>
  );
}

function ReplayResult({ replay }: { readonly replay: Awaited<ReturnType<typeof loader>>["replay"] }) {
  const { allowed, refused, unknown, kinds, moreKinds } = replay;
  return (
    <div className="flex flex-col gap-4">
      {refused === 0 ? (
        <Notice tone="good" title="Nothing would have been refused">
          All {words(allowed)} would still be allowed.
        </Notice>
      ) : (
        <Notice tone="waiting" title={`${words(refused)} would have been refused`}>
          {words(allowed)} would still be allowed. Those that would not are older than the days above, or the
          scope of today refuses them already.
        </Notice>
      )}
      {unknown > 0 && (
        <p className="text-sm text-muted">
          {words(unknown)} cannot be judged: their paths are too long for the log to hold whole. The rules
          that may have allowed them stay.
        </p>
      )}
      {kinds.length > 0 && (
        <ul className="flex flex-col gap-1 font-mono text-xs leading-5">
          {kinds.map(({ method, path, count }) => (
            <li
              key={`${method} ${path}`}
              className="flex justify-between gap-4 rounded bg-sunken px-2 py-0.5"
            >
              <span className="min-w-0 break-all">
                {method} {path}
              </span>
              <span className="text-muted tabular-nums">{count}×</span>
            </li>
          ))}
          {moreKinds > 0 && <li className="text-muted">and {moreKinds} more kinds of requests</li>}
        </ul>
      )}
    </div>
  );
}

function words(requests: number): string {
  return requests === 1 ? "1 request" : `${String(requests)} requests`;
}
