import { data } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { enterWithForm, forgetDraft, keptForm } from "../../.server/draft.ts";
import { redirectWith } from "../../.server/flash.ts";
import type { Redirect } from "../../.server/flash.ts";
import { newNonce, once, sentBefore } from "../../.server/once.ts";
import { enter, readCursor, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { readTokenForm, showTokenRow } from "../../.server/tokens.ts";
import type { TokenRow } from "../../.server/tokens.ts";
import { createToken, listTokens, revokeToken } from "../../../service/tokens.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Code } from "../../components/code-snippet.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { DraftNotice, FormOwner } from "../../components/draft.tsx";
import type { KeptForm } from "../../components/draft.tsx";
import { AlreadyMade, FormNonce } from "../../components/once.tsx";
import type { SentBefore } from "../../components/once.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pagination } from "../../components/pagination.tsx";
import { NewTokenForm, TokenTable } from "../../components/settings/tokens.tsx";

export const meta: MetaFunction = () => [{ title: "Management tokens · RelayKey" }];

const PAGE = 50;

interface Shown {
  readonly nonce: string;
  readonly kept: KeptForm;
  readonly tokens: readonly TokenRow[];
  readonly nextCursor: string | null;
  readonly mayChange: boolean;
}

export async function loader(args: LoaderFunctionArgs): Promise<Shown> {
  const visit = await enter(args, "token.read");
  const { deps, caller, url } = visit;
  const page = unwrap(await listTokens(deps, caller, { limit: PAGE, cursor: readCursor(url.searchParams) }));
  return {
    nonce: newNonce(),
    kept: await keptForm(args, visit),
    tokens: page.entries.map((token) => showTokenRow(token, deps.now())),
    nextCursor: page.nextCursor,
    mayChange: caller.role === "admin",
  };
}

/** A token that was just made. It is in this one answer and nowhere else. */
interface Made {
  readonly failure: undefined;
  readonly made: { readonly name: string; readonly token: string };
}

interface MadeAnswer extends ReturnType<typeof data<Made>> {
  readonly data: Made;
}

export async function action(
  args: ActionFunctionArgs,
): Promise<Redirect | MadeAnswer | Refusal | SentBefore> {
  const { deps, caller, form } = await enterWithForm(args, "token.change");
  if (form.text("intent") === "revoke") {
    const revoked = await revokeToken(deps, caller, form.text("id"));
    if (!revoked.ok) return refuse(revoked.failure);
    return redirectWith(deps, "/settings/tokens", {
      tone: "good",
      text: `${revoked.value.name} is revoked.`,
    });
  }
  const input = readTokenForm(form, deps.now());
  if (!input.ok) return refuse(input.failure, form.echo());
  const created = await once(
    { deps, caller },
    form,
    "token.change",
    () => createToken(deps, caller, input.value),
    ({ record }) => record.id,
  );
  if (!created.ok) return refuse(created.failure, form.echo());
  await forgetDraft(args);
  if (!created.value.isFirst) return sentBefore(created.value.madeId);
  const { record, token } = created.value.value;
  return data({ failure: undefined, made: { name: record.name, token: token.reveal() } }, { status: 201 });
}

export default function Tokens() {
  const { nonce, kept, tokens, nextCursor, mayChange } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [search] = useSearchParams();
  const revoking = tokens.find(({ id }) => id === search.get("revoke"));
  if (answer !== undefined && "sentBefore" in answer) return <TokenMadeAlready {...answer.sentBefore} />;
  const typed = (answer !== undefined && "values" in answer ? answer.values : null) ?? kept.values ?? {};
  const made = answer !== undefined && "made" in answer ? answer.made : null;
  return (
    <>
      <PageHeader
        back={{ to: "/settings", label: "Settings" }}
        title="Management tokens"
        note="What scripts, Terraform and the CLI call the management API with. A token is shown once, when it is made."
      />
      {made !== null && (
        <Card title={`${made.name}: copy it now`} note="It is not stored and cannot be shown again.">
          <Code text={made.token} label="the new management token" />
        </Card>
      )}
      <Card title="Tokens" padded={false} empty={tokens.length > 0 ? null : "None yet."}>
        <TokenTable tokens={tokens} mayChange={mayChange} />
      </Card>
      <Pagination nextCursor={nextCursor} />
      {mayChange && (
        <Card title="New token">
          <Form method="post" key={made?.token ?? "new"}>
            <FormNonce nonce={nonce} />
            <FormOwner kept={kept} />
            {answer === undefined && <DraftNotice kept={kept} />}
            <NewTokenForm failure={answer?.failure} values={typed} />
          </Form>
        </Card>
      )}
      {mayChange && revoking?.state === "active" && (
        <ConfirmDialog
          title={`Revoke ${revoking.name}?`}
          confirm="Revoke the token"
          intent="revoke"
          closeTo="/settings/tokens"
          failure={answer?.failure}
        >
          <p>Whatever calls the management API with it is refused from now on. This cannot be taken back.</p>
          <input type="hidden" name="id" value={revoking.id} />
        </ConfirmDialog>
      )}
    </>
  );
}

const HERE = "/settings/tokens";

function TokenMadeAlready({ id }: { readonly id: string | null }) {
  return (
    <AlreadyMade
      what="token"
      secret="the token itself"
      id={id}
      list={{ to: HERE, label: "Management tokens" }}
      to={() => HERE}
      lost="If you have not copied it, revoke it and make another."
      lostAction={(made) => <LinkButton to={`${HERE}?revoke=${made}`}>Revoke the token</LinkButton>}
      again={HERE}
    />
  );
}
