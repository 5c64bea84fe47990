import { isId } from "@relaykey/core/ids";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { revokeKeys } from "../../service/bulk-revoke.ts";
import { listKeys } from "../../service/keys.ts";
import { continueEnforcement } from "../../service/organizations.ts";
import { readForm } from "../.server/form.ts";
import { showKeyRow } from "../.server/keys.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { FormFailure } from "../components/form.tsx";
import { KeyTable } from "../components/keys/key-table.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { EmptyState } from "../components/states.tsx";

export const meta: MetaFunction = () => [{ title: "Revoke keys · RelayKey" }];

/** As many as one page of the list can select. */
const MAX_KEYS = 200;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "key.revoke");
  const ids = readIds(url.searchParams.getAll("key"));
  const page = unwrap(await listKeys(deps, caller, { ids }, { limit: MAX_KEYS, cursor: null }));
  const keys = page.entries.map((key) => showKeyRow(key, deps.now(), undefined));
  return {
    keys,
    live: keys.filter(({ state }) => state !== "revoked").length,
    pending: keys.filter(({ isPending }) => isPending).length,
  };
}

interface Done {
  readonly failure: undefined;
}

export async function action(args: ActionFunctionArgs): Promise<Done | Refusal> {
  const { deps, caller, url } = await enter(args, "key.revoke");
  const form = await readForm(args.request);
  if (form.text("intent") === "continue") {
    await continueEnforcement(deps, caller);
    return { failure: undefined };
  }
  const ids = readIds(url.searchParams.getAll("key"));
  const done = await revokeKeys(deps, caller, { ids }, false);
  return done.ok ? { failure: undefined } : refuse(done.failure);
}

function readIds(values: readonly string[]): string[] {
  return [...new Set(values.filter(isId))].slice(0, MAX_KEYS);
}

export default function RevokeKeys() {
  const { keys, live, pending } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const back = { to: "/keys", label: "Keys" };
  if (keys.length === 0) {
    return (
      <>
        <PageHeader title="Revoke keys" back={back} />
        <EmptyState title="No key is selected" action={<LinkButton to="/keys">Back to the keys</LinkButton>}>
          Tick the keys to be revoked in the list, then choose “Revoke selected”.
        </EmptyState>
      </>
    );
  }
  const isDone = live === 0;
  const count = (number: number): string => (number === 1 ? "1 key" : `${String(number)} keys`);
  return (
    <>
      <PageHeader
        title={isDone ? `${count(keys.length)} revoked` : `Revoke ${count(live)}?`}
        back={back}
        note={
          isDone
            ? "A revoked key stays in the list and in the audit log, and never works again."
            : "From the moment this is done no request starts under these keys, anywhere, and open streams are cut within two seconds. It cannot be undone: whoever still uses one needs a new key."
        }
      />
      <div className="flex flex-col gap-4">
        <FormFailure failure={answer?.failure} />
        {isDone && pending === 0 && (
          <Notice tone="good" title="In force everywhere">
            The proxy has confirmed each revocation. The receipt of each is on the page of its key.
          </Notice>
        )}
        {isDone && pending > 0 && (
          <Notice
            tone="waiting"
            title={`${String(keys.length - pending)} of ${String(keys.length)} confirmed`}
          >
            <p>
              The revocation of {count(pending)} is stored, and waits for the proxy to confirm it. It is tried
              again each minute until it does.
            </p>
            <Form method="post" className="mt-3">
              <SubmitButton name="intent" value="continue" size="sm" variant="secondary" pending="Trying …">
                Try again now
              </SubmitButton>
            </Form>
          </Notice>
        )}
        {!isDone && (
          <Form method="post" className="flex flex-wrap gap-3">
            <SubmitButton name="intent" value="revoke" variant="danger" pending="Revoking …">
              Revoke {count(live)}
            </SubmitButton>
            <LinkButton to="/keys">Keep them</LinkButton>
          </Form>
        )}
      </div>
      <Card title="Selected keys" padded={false}>
        <KeyTable caption="Selected keys" keys={keys} />
      </Card>
    </>
  );
}
