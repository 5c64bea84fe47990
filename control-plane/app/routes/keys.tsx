import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useLoaderData } from "@remix-run/react";
import { revokeKeys } from "../../service/bulk-revoke.ts";
import { listKeys } from "../../service/keys.ts";
import { showNames, weekOfUse } from "../../service/inventory.ts";
import {
  EXPIRING_DAYS,
  UNUSED_DAYS,
  readKeyFilter,
  readKeySort,
  readSortedCursor,
  selectKeys,
  writeKeyFilter,
} from "../.server/key-filter.ts";
import { may, showKeyRow } from "../.server/keys.ts";
import { enter, unwrap } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SelectField, TextField } from "../components/field.tsx";
import { SORT_WORDS } from "../components/keys/key-sorts.ts";
import { KeyTable } from "../components/keys/key-table.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { useRepeatedLook } from "../components/repeated-look.ts";
import { EmptyState } from "../components/states.tsx";

export const meta: MetaFunction = () => [{ title: "Keys · RelayKey" }];

const PER_PAGE = 50;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "key.read");
  const now = deps.now();
  const filter = readKeyFilter(url.searchParams);
  const selection = selectKeys(filter, now);
  const sort = readKeySort(url.searchParams);
  const part = { limit: PER_PAGE, cursor: readSortedCursor(url.searchParams, sort) };
  const canRevoke = may(caller, "key.revoke");
  const [page, names, live] = await Promise.all([
    listKeys(deps, caller, selection, part, sort),
    showNames(deps, caller),
    canRevoke ? revokeKeys(deps, caller, selection, true) : null,
  ]);
  const { integrations, holders } = unwrap(names);
  const { entries, nextCursor } = unwrap(page);
  const week = unwrap(
    await weekOfUse(
      deps,
      caller,
      entries.map(({ id }) => id),
    ),
  );
  return {
    filter,
    sort,
    isFiltered: Object.values(filter).some((value) => value !== ""),
    canCreate: may(caller, "key.create"),
    canRevoke,
    /** Keys, on all pages of the list, that one revocation would hit. */
    revocable: live === null ? 0 : unwrap(live).revoked,
    query: writeKeyFilter(filter),
    expiringDays: EXPIRING_DAYS,
    unusedDays: UNUSED_DAYS,
    keys: entries.map((key) => showKeyRow(key, now, week.get(key.id))),
    nextCursor,
    integrations: integrations.map(({ slug, name }) => ({ slug, name })),
    holders: holders.map(({ id, name }) => ({ id, name })),
  };
}

export default function Keys() {
  const shown = useLoaderData<typeof loader>();
  const { keys, filter, sort, isFiltered, canCreate, canRevoke, revocable } = shown;
  useRepeatedLook(keys.some(({ isPending }) => isPending));
  const create = canCreate ? (
    <LinkButton to="/keys/new" variant="primary">
      New key
    </LinkButton>
  ) : undefined;
  return (
    <>
      <PageHeader
        title="Keys"
        note="What people and programs hold instead of the vendor's key. Each can be ended by itself."
        {...(create === undefined ? {} : { actions: create })}
      />
      <Form
        method="get"
        role="search"
        aria-label="Keys"
        className="mb-6 grid grid-cols-2 items-end gap-3 lg:grid-cols-[2fr_1fr_1fr_1fr_1fr_auto]"
      >
        <div className="col-span-2 lg:col-span-1">
          <TextField
            name="q"
            type="search"
            label="Search"
            placeholder="Name, holder or last characters"
            defaultValue={filter.q}
          />
        </div>
        <SelectField
          name="holder"
          label="Holder"
          defaultValue={filter.holder}
          choices={[
            { value: "", label: "Any" },
            ...shown.holders.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <SelectField
          name="integration"
          label="Integration"
          defaultValue={filter.integration}
          choices={[
            { value: "", label: "Any" },
            ...shown.integrations.map(({ slug, name }) => ({ value: slug, label: name })),
          ]}
        />
        <SelectField
          name="state"
          label="State"
          defaultValue={filter.state}
          choices={[
            { value: "", label: "Any" },
            { value: "active", label: "Active" },
            { value: "expiring", label: `Expiring within ${String(shown.expiringDays)} days` },
            { value: "unused", label: `Unused for ${String(shown.unusedDays)} days` },
            { value: "pending", label: "Pending, not enforced" },
            { value: "frozen", label: "Frozen" },
            { value: "revoked", label: "Revoked" },
          ]}
        />
        <SelectField
          name="sort"
          label="Order"
          defaultValue={sort}
          choices={Object.entries(SORT_WORDS).map(([value, label]) => ({ value, label }))}
        />
        <div className="flex gap-2">
          <SubmitButton variant="secondary">Apply</SubmitButton>
          {isFiltered && (
            <LinkButton to="/keys" variant="quiet">
              Clear
            </LinkButton>
          )}
        </div>
      </Form>
      {keys.length === 0 ? (
        <EmptyState
          title={isFiltered ? "No key matches" : "No keys yet"}
          action={isFiltered ? <LinkButton to="/keys">Show all keys</LinkButton> : create}
        >
          {isFiltered
            ? "Change the filters, or clear them."
            : "A key is made for one holder and one integration, and can do no more than its job needs."}
        </EmptyState>
      ) : (
        <Form method="get" action="/keys/revoke">
          <Card
            title={isFiltered ? "Matching keys" : "All keys"}
            padded={false}
            {...(canRevoke
              ? {
                  actions: (
                    <>
                      <SubmitButton variant="warning" size="sm">
                        Revoke selected …
                      </SubmitButton>
                      {revocable > 0 && (
                        <LinkButton size="sm" variant="warning" to={`/keys/revoke?all=yes&${shown.query}`}>
                          Revoke all {revocable} {isFiltered ? "matching " : ""}…
                        </LinkButton>
                      )}
                    </>
                  ),
                }
              : {})}
          >
            <KeyTable caption="Keys" keys={keys} selectable={canRevoke} sort={sort} />
          </Card>
          <Pagination nextCursor={shown.nextCursor} />
        </Form>
      )}
    </>
  );
}
