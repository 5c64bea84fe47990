import { isId } from "@relaykey/core/ids";
import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { weekOfUse } from "../../service/inventory.ts";
import { listKeys } from "../../service/keys.ts";
import type { KeySelection } from "../../service/keys.ts";
import { fail, invalid } from "../../service/outcome.ts";
import { revokeShown, showSelection } from "../../service/revocation-run.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { readKeyFilter, selectKeys, writeKeyFilter } from "../.server/key-filter.ts";
import { showKeyRow } from "../.server/keys.ts";
import { enter, readCursor, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { fieldError } from "../components/failure.ts";
import { TextField } from "../components/field.tsx";
import { FormFailure } from "../components/form.tsx";
import { KeyTable } from "../components/keys/key-table.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { EmptyState } from "../components/states.tsx";

export const meta: MetaFunction = () => [{ title: "Revoke keys · RelayKey" }];

/** As many as can be ticked one by one. */
const MAX_TICKED = 200;
const PER_PAGE = 50;
/** More than these at once are confirmed by typing how many. */
const UNTYPED = 20;
/** A page that was opened longer ago is looked at again first. */
const VALID_MS = 86_400_000;

/** Either the keys that were ticked, or all that a filter means: those that were there at a moment, and none that came later. */
function readSelection(url: URL, asOf: number): KeySelection {
  if (!url.searchParams.has("all")) {
    return { ids: [...new Set(url.searchParams.getAll("key").filter(isId))].slice(0, MAX_TICKED) };
  }
  return { createdBefore: new Date(asOf), ...selectKeys(readKeyFilter(url.searchParams), asOf) };
}

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "key.revoke");
  const asOf = deps.now();
  const selection = readSelection(url, asOf);
  const [shown, page] = await Promise.all([
    showSelection(deps, caller, selection),
    listKeys(deps, caller, selection, { limit: PER_PAGE, cursor: readCursor(url.searchParams) }),
  ]);
  const { total, fingerprint } = unwrap(shown);
  const { entries, nextCursor } = unwrap(page);
  const ids = entries.map(({ id }) => id);
  const week = unwrap(await weekOfUse(deps, caller, ids));
  const isAll = url.searchParams.has("all");
  return {
    asOf,
    total,
    fingerprint,
    isAll,
    isTyped: total > UNTYPED,
    keys: entries.map((key) => showKeyRow(key, asOf, week.get(key.id))),
    nextCursor,
    backTo: isAll ? `/keys?${writeKeyFilter(readKeyFilter(url.searchParams))}` : "/keys",
  };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller, url } = await enter(args, "key.revoke");
  const form = await readForm(args.request);
  const asOf = Number(form.text("as_of"));
  const now = deps.now();
  if (!Number.isSafeInteger(asOf) || asOf > now || asOf < now - VALID_MS) {
    return refuse(
      fail("changed_meanwhile", { detail: "This page is old. Nothing was revoked: look again." }).failure,
    );
  }
  const selection = readSelection(url, asOf);
  const { total } = unwrap(await showSelection(deps, caller, selection));
  if (total > UNTYPED && form.text("count").replaceAll(/[ ,.']/g, "") !== String(total)) {
    return refuse(invalid("count", `Type ${String(total)}, the number of keys, to confirm.`).failure);
  }
  const run = await revokeShown(deps, caller, selection, form.text("shown"));
  return run.ok ? redirect(`/keys/revoked/${run.value}`) : refuse(run.failure);
}

export default function RevokeKeys() {
  const shown = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  const { total, keys, isAll, backTo } = shown;
  const back = { to: backTo, label: "Keys" };
  if (total === 0) {
    return (
      <>
        <PageHeader title="Revoke keys" back={back} />
        <div className="mb-6 empty:hidden">
          <FormFailure failure={failure} />
        </div>
        <EmptyState
          title={isAll ? "No live key matches" : "No key is selected"}
          action={<LinkButton to={backTo}>Back to the keys</LinkButton>}
        >
          {isAll || keys.length > 0
            ? "Every key that is meant is revoked already."
            : "Tick the keys to be revoked in the list, then choose “Revoke selected”."}
        </EmptyState>
      </>
    );
  }
  const count = total === 1 ? "1 key" : `${String(total)} keys`;
  return (
    <>
      <PageHeader
        title={`Revoke ${count}?`}
        back={back}
        note="From the moment this is done no request starts under these keys, anywhere, and open streams are cut within two seconds. It cannot be undone: whoever still uses one needs a new key."
      />
      <div className="flex flex-col gap-4">
        <FormFailure failure={failure} />
        <Form method="post" className="flex max-w-md flex-col gap-4">
          <input type="hidden" name="as_of" value={shown.asOf} autoComplete="off" />
          <input type="hidden" name="shown" value={shown.fingerprint} autoComplete="off" />
          {shown.isTyped && (
            <TextField
              name="count"
              label={`Type ${String(total)} to confirm`}
              hint="The number of keys that end."
              inputMode="numeric"
              autoComplete="off"
              required
              error={fieldError(failure, "count")}
            />
          )}
          <div className="flex flex-wrap gap-3">
            <SubmitButton name="intent" value="revoke" variant="danger" pending="Revoking …">
              Revoke {count}
            </SubmitButton>
            <LinkButton to={backTo}>Keep them</LinkButton>
          </div>
        </Form>
      </div>
      <Card
        title={isAll ? "Matching keys" : "Selected keys"}
        note={
          isAll
            ? "These and no others are revoked. When the filter means others by the time you confirm, nothing is."
            : undefined
        }
        padded={false}
      >
        <KeyTable caption={isAll ? "Matching keys" : "Selected keys"} keys={keys} />
      </Card>
      <Pagination nextCursor={shown.nextCursor} />
    </>
  );
}
