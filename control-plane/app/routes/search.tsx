import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { enter, unwrap } from "../.server/page.ts";
import { searchNames } from "../../service/search.ts";
import { SubmitButton } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";
import { PageHeader } from "../components/page-header.tsx";
import type { Hit } from "../components/shell/palette.tsx";

export const meta: MetaFunction = () => [{ title: "Search · RelayKey" }];

const PLACES = { key: "/keys", holder: "/holders", integration: "/integrations" } as const;
const NOTES = { key: "Key", holder: "Holder", integration: "Integration" } as const;

export async function loader(args: LoaderFunctionArgs): Promise<{ query: string; hits: Hit[] }> {
  const { deps, caller, url } = await enter(args, "key.read");
  const query = url.searchParams.get("q")?.trim() ?? "";
  const found = query === "" ? [] : unwrap(await searchNames(deps, caller, query));
  return {
    query,
    hits: found.map(({ kind, id, name }) => ({
      to: `${PLACES[kind]}/${id}`,
      label: name,
      note: NOTES[kind],
    })),
  };
}

export default function Search() {
  const { query, hits } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader title="Search" note="Keys, holders and integrations by name. Everywhere: Ctrl K or ⌘ K." />
      <Form role="search" className="flex items-end gap-3">
        <div className="flex-1">
          <TextField name="q" type="search" label="Name" defaultValue={query} maxLength={100} />
        </div>
        <SubmitButton>Search</SubmitButton>
      </Form>
      {query !== "" && (
        <ul className="mt-6 divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
          {hits.map(({ to, label, note }) => (
            <li key={to}>
              <Link to={to} className="flex justify-between gap-3 px-4 py-3 text-sm hover:bg-sunken">
                <span className="min-w-0 truncate font-medium">{label}</span>
                <span className="text-muted">{note}</span>
              </Link>
            </li>
          ))}
          {hits.length === 0 && <li className="px-4 py-3 text-sm text-muted">Nothing has that name.</li>}
        </ul>
      )}
    </>
  );
}
