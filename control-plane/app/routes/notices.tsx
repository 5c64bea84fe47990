import { isId } from "@relaykey/core/ids";
import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { enter, missing, readCursor, refuse, unwrap } from "../.server/page.ts";
import { readForm } from "../.server/form.ts";
import { showNotice } from "../.server/notices.ts";
import type { ShownNotice } from "../.server/notices.ts";
import { SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Ago } from "../components/moment.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";
import { listNotices, markNoticesSeen } from "../../service/notices/inbox.ts";

export const meta: MetaFunction = () => [{ title: "Notices · RelayKey" }];

interface Shown {
  readonly notices: readonly ShownNotice[];
  readonly nextCursor: string | null;
}

export async function loader(args: LoaderFunctionArgs): Promise<Shown> {
  const { deps, caller, url } = await enter(args, "notice.read");
  const page = { limit: 50, cursor: readCursor(url.searchParams) };
  const { entries, nextCursor } = unwrap(await listNotices(deps, caller, {}, page));
  return { notices: entries.map(showNotice), nextCursor };
}

export async function action(args: ActionFunctionArgs) {
  const { deps, caller } = await enter(args, "notice.change");
  const form = await readForm(args.request);
  const upTo = form.text("up_to");
  if (!isId(upTo)) missing();
  const marked = await markNoticesSeen(deps, caller, { upTo });
  return marked.ok ? redirect("/notices") : refuse(marked.failure);
}

const COLUMNS: readonly Column<ShownNotice>[] = [
  { heading: "When", cell: ({ at }) => <Ago iso={at} /> },
  {
    heading: "What",
    lead: true,
    cell: ({ title, isNew }) => (
      <span className="flex items-baseline gap-2 md:min-w-44">
        <span
          aria-hidden="true"
          className={`size-2 shrink-0 rounded-full ${isNew ? "bg-accent" : "max-md:hidden"}`}
        />
        <span className={isNew ? "font-medium" : ""}>{title}</span>
        {isNew && <span className="sr-only">new</span>}
      </span>
    ),
  },
  {
    heading: "About",
    wide: true,
    cell: ({ about, to }) =>
      to === null ? (
        about
      ) : (
        <Link to={to} className="line-clamp-2 wrap-anywhere text-accent hover:underline">
          {about}
        </Link>
      ),
  },
  {
    heading: "Details",
    wide: true,
    cell: ({ details }) => <span className="text-muted">{details === "" ? "—" : details}</span>,
  },
];

export default function NoticesPage() {
  const { notices, nextCursor } = useLoaderData<typeof loader>();
  const [newest] = notices;
  const hasNew = notices.some(({ isNew }) => isNew);
  return (
    <>
      <PageHeader
        title="Notices"
        note="What happened to keys, holders and integrations. Webhooks carry the same; what is urgent is mailed to admins."
        actions={
          hasNew && newest !== undefined ? (
            <Form method="post">
              <input type="hidden" name="up_to" value={newest.id} />
              <SubmitButton variant="secondary" pending="Marking …">
                Mark all as seen
              </SubmitButton>
            </Form>
          ) : undefined
        }
      />
      <Card
        title="Newest first"
        padded={false}
        empty={
          notices.length === 0
            ? "Nothing has happened yet. What admins should know shows here: new networks, refused vendor keys, expiring keys. Alerts go out by webhook, too."
            : undefined
        }
      >
        <Table caption="Notices" columns={COLUMNS} rows={notices} keyOf={({ id }) => id} />
      </Card>
      <Pagination nextCursor={nextCursor} />
    </>
  );
}
