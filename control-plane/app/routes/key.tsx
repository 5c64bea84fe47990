import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { freezeKey, rerollKey, unfreezeKey } from "../../service/key-lifecycle.ts";
import { showIntegration } from "../../service/integrations.ts";
import { revokeKey } from "../../service/keys.ts";
import { continueEnforcement } from "../../service/organizations.ts";
import { revealKey } from "../.server/create-key.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { keyOf, readKeyPage } from "../.server/key-page.ts";
import type { KeyPage } from "../.server/key-page.ts";
import { once, sentBefore } from "../.server/once.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { FormFailure } from "../components/form.tsx";
import { readGrace } from "../components/grace.tsx";
import { Events } from "../components/keys/events.tsx";
import { KeyDialog } from "../components/keys/key-dialog.tsx";
import { KeyFacts } from "../components/keys/key-facts.tsx";
import { KeyNotices } from "../components/keys/key-notices.tsx";
import { KeyStateBadges } from "../components/keys/key-state.tsx";
import { PolicyWords } from "../components/keys/policy-words.tsx";
import { Receipts } from "../components/keys/receipts.tsx";
import { KeyMadeAlready, Reveal } from "../components/keys/reveal.tsx";
import type { Revealed } from "../components/keys/reveal.tsx";
import { RuleList } from "../components/keys/rule-list.tsx";
import type { SentBefore } from "../components/once.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { useRepeatedLook } from "../components/repeated-look.ts";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.key.name ?? "Key"} · Keys · RelayKey` },
];

export async function loader(args: LoaderFunctionArgs): Promise<KeyPage> {
  const { deps, caller } = await enter(args, "key.read");
  return readKeyPage(deps, caller, args.params["key"]);
}

interface Made {
  readonly failure: undefined;
  readonly revealed: Revealed;
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal | Made | SentBefore> {
  const form = await readForm(args.request);
  const intent = form.text("intent");
  const { deps, caller } = await enter(args, intent === "revoke" ? "key.revoke" : "key.change");
  const { id, name, integration } = await keyOf(deps, caller, args.params["key"]);
  const here = `/keys/${id}`;
  switch (intent) {
    case "revoke": {
      const done = await revokeKey(deps, caller, id);
      if (!done.ok) return refuse(done.failure);
      return done.value.enforcement.state === "enforced"
        ? redirectWith(deps, `${here}#receipts`, {
            tone: "good",
            text: `“${name}” is revoked: no request starts under it any more. The receipt is below.`,
          })
        : redirectWith(deps, here, {
            tone: "waiting",
            text: `The revocation of “${name}” is stored, and not confirmed by the proxy yet.`,
          });
    }
    case "freeze":
    case "unfreeze": {
      const done = await (intent === "freeze" ? freezeKey : unfreezeKey)(deps, caller, id);
      if (!done.ok) return refuse(done.failure);
      const word = intent === "freeze" ? "frozen" : "working again";
      return done.value.enforcement.state === "enforced"
        ? redirectWith(deps, here, { tone: "good", text: `“${name}” is ${word}.` })
        : redirectWith(deps, here, { tone: "waiting", text: "Stored, and not confirmed by the proxy yet." });
    }
    case "reroll": {
      const overlapMs = readGrace(form.text("overlap"));
      const done = await once(
        { deps, caller },
        form,
        "key.change",
        () => rerollKey(deps, caller, id, { overlapMs }),
        ({ key }) => key.id,
      );
      if (!done.ok) return refuse(done.failure);
      if (!done.value.isFirst) return sentBefore(done.value.madeId);
      const shown = unwrap(await showIntegration(deps, caller, integration.id));
      const { value: rerolled } = done.value;
      const { former } = rerolled;
      const words =
        former.key.state === "revoked"
          ? "It is revoked."
          : `It goes on until ${former.key.expiresAt?.toISOString().slice(0, 16).replace("T", " ") ?? ""} UTC, so that its holder can change over.`;
      const pending = former.enforcement.state === "pending" ? " The proxy has not confirmed that yet." : "";
      return {
        failure: undefined,
        revealed: revealKey(deps, rerolled, rerolled.token, shown, words + pending),
      };
    }
    default: {
      await continueEnforcement(deps, caller);
      return redirectWith(deps, here, {
        tone: "good",
        text: "Tried again. What is still pending says so below.",
      });
    }
  }
}

export default function Key() {
  const page = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [query] = useSearchParams();
  useRepeatedLook(page.key.isPending);
  if (answer !== undefined && "revealed" in answer) return <Reveal revealed={answer.revealed} />;
  if (answer !== undefined && "sentBefore" in answer) return <KeyMadeAlready {...answer.sentBefore} />;
  const { key } = page;
  const isOver = key.state === "revoked";
  return (
    <>
      <PageHeader
        title={key.name}
        back={{ to: "/keys", label: "Keys" }}
        note={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <code className="font-mono">{key.display}</code>
            <KeyStateBadges state={key.state} isPending={key.isPending} />
          </span>
        }
        {...(page.canChange && !isOver ? { actions: <Actions page={page} /> } : {})}
      />
      <KeyDialog page={page} which={query.get("confirm")} failure={answer?.failure} />
      <div className="flex flex-col gap-4">
        <FormFailure failure={answer?.failure} />
        <KeyNotices page={page} />
      </div>
      <div className="mt-6 grid items-start gap-x-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <Card
            title="What it can do"
            {...(page.canChange && !isOver
              ? {
                  actions: (
                    <>
                      <LinkButton size="sm" to={`/keys/${key.id}/tighten`}>
                        Tighten
                      </LinkButton>
                      <LinkButton size="sm" to={`/keys/${key.id}/edit`}>
                        Edit
                      </LinkButton>
                    </>
                  ),
                }
              : {})}
          >
            <div className="flex flex-col gap-4">
              <PolicyWords sentences={page.sentences} />
              <RuleList rules={page.rules} />
              {page.bindings.length > 0 && (
                <p className="font-mono text-xs text-muted">
                  {page.bindings.map(({ name, value }) => `{${name}} = ${value}`).join(" · ")}
                </p>
              )}
            </div>
          </Card>
          <Card
            title="Latest requests"
            padded={false}
            actions={
              <LinkButton size="sm" to={`/audit?key=${key.id}`}>
                All in the audit log
              </LinkButton>
            }
            empty={
              page.events.length === 0
                ? "None yet. A request shows here within seconds, allowed or not."
                : undefined
            }
          >
            <Events events={page.events} />
          </Card>
          <div id="receipts" className="mt-8">
            <Card
              title="Receipts"
              note="Since when each change holds: from that moment on no request started under what was before."
              padded={false}
              empty={
                page.receipts.length === 0 && !key.isPending
                  ? "None yet: the proxy has not confirmed this key."
                  : undefined
              }
            >
              <Receipts receipts={page.receipts} pendingVersion={key.isPending ? page.policyVersion : null} />
            </Card>
          </div>
        </div>
        <div className="mt-8 lg:mt-0">
          <KeyFacts page={page} />
        </div>
      </div>
    </>
  );
}

function Actions({ page: { key, canRevoke } }: { readonly page: KeyPage }) {
  const link = (name: string) => ({ to: `?confirm=${name}`, preventScrollReset: true });
  return (
    <>
      {key.state === "frozen" ? (
        <LinkButton {...link("unfreeze")}>Unfreeze</LinkButton>
      ) : (
        <LinkButton {...link("freeze")}>Freeze</LinkButton>
      )}
      <LinkButton {...link("reroll")}>Reroll</LinkButton>
      {canRevoke && (
        <LinkButton {...link("revoke")} variant="danger">
          Revoke
        </LinkButton>
      )}
    </>
  );
}
