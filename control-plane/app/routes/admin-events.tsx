import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useLoaderData, useSearchParams } from "@remix-run/react";
import { readAdminEvents } from "../.server/admin-events.ts";
import type { AdminEvents, ShownAdminEvent } from "../.server/admin-events.ts";
import { enter } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SelectField } from "../components/field.tsx";
import { Address } from "../components/literal.tsx";
import { Moment } from "../components/moment.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Admin events · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<AdminEvents> {
  return readAdminEvents(await enter(args, "admin_event.read"));
}

const COLUMNS: readonly Column<ShownAdminEvent>[] = [
  { heading: "Time (UTC)", cell: (event) => <Moment iso={event.at} /> },
  {
    heading: "What",
    lead: true,
    cell: (event) => (
      <Link to={`/admin-events/${event.id}`} className="text-accent hover:underline md:whitespace-nowrap">
        {event.says}
      </Link>
    ),
  },
  {
    heading: "Subject",
    wide: true,
    cell: (event) => (
      <>
        <span className="line-clamp-2 wrap-anywhere">{event.subject}</span>
        <span className="block text-xs text-muted">{event.subjectNoun}</span>
      </>
    ),
  },
  {
    heading: "Who",
    cell: (event) => (
      <>
        <span className="line-clamp-2 wrap-anywhere">{event.actor}</span>
        <span className="block text-xs text-muted">{event.via}</span>
      </>
    ),
  },
  { heading: "IP", cell: (event) => <Address ip={event.ip} /> },
];

export default function AdminEventsPage() {
  const { events, nextCursor, subjectId, subjects, vias } = useLoaderData<typeof loader>();
  const [search] = useSearchParams();
  const any = { value: "", label: "Any" };
  return (
    <>
      <PageHeader
        title="Admin events"
        note="Every change that was made to this organization, written in the same transaction as the change."
      />
      <Form
        key={search.toString()}
        className="grid grid-cols-2 items-end gap-3 sm:grid-cols-[12rem_12rem_auto] sm:justify-start"
      >
        <div>
          <SelectField
            name="subject"
            label="About"
            defaultValue={search.get("subject") ?? ""}
            choices={[any, ...subjects]}
          />
        </div>
        <div>
          <SelectField
            name="via"
            label="Done through"
            defaultValue={search.get("via") ?? ""}
            choices={[any, ...vias]}
          />
        </div>
        {subjectId !== null && <input type="hidden" name="subject_id" value={subjectId} />}
        <div className="flex gap-2">
          <SubmitButton variant="secondary">Apply</SubmitButton>
          {search.size > 0 && (
            <LinkButton to="?" variant="quiet">
              Clear
            </LinkButton>
          )}
        </div>
      </Form>
      <Card
        title="Events"
        padded={false}
        empty={
          events.length > 0
            ? null
            : "No event matches. Clear the filters to see all; each change that an admin makes is here, with who made it."
        }
      >
        <Table caption="Admin events" columns={COLUMNS} rows={events} keyOf={({ id }) => id} />
      </Card>
      <Pagination nextCursor={nextCursor} />
    </>
  );
}
