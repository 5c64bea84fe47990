import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link } from "@remix-run/react";
import { enter } from "../../.server/page.ts";
import { PageHeader } from "../../components/page-header.tsx";
import { SECTIONS } from "../../components/settings/sections.ts";

export const meta: MetaFunction = () => [{ title: "Settings · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<null> {
  await enter(args, "organization.read");
  return null;
}

export default function Settings() {
  return (
    <>
      <PageHeader title="Settings" />
      <ul className="grid gap-3 sm:grid-cols-2">
        {SECTIONS.map(({ to, label, note }) => (
          <li key={to}>
            <Link
              to={to}
              className="block h-full rounded-xl border border-line bg-surface p-4 transition-colors hover:border-edge"
            >
              <span className="font-medium">{label}</span>
              <span className="mt-1 block text-sm text-muted">{note}</span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
