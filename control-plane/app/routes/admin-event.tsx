import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { readAdminEvent } from "../.server/admin-events.ts";
import type { AdminEventDetail } from "../.server/admin-events.ts";
import { enter } from "../.server/page.ts";
import { Card } from "../components/card.tsx";
import { Facts } from "../components/facts.tsx";
import { Moment } from "../components/moment.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Admin event · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<AdminEventDetail> {
  return readAdminEvent(await enter(args, "admin_event.read"), args.params["eventId"] ?? "");
}

export default function AdminEvent() {
  const event = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader back={{ to: "/admin-events", label: "Admin events" }} title={event.says} />
      <Card title="Who and what">
        <Facts
          facts={[
            ["Time (UTC)", <Moment key="at" iso={event.at} />],
            ["Who", `${event.actor} through ${event.via}`],
            ["IP address", event.ip ?? "none"],
            [
              "About",
              event.subjectPage === null ? (
                `${event.subjectNoun} ${event.subject}`
              ) : (
                <Link key="subject" to={event.subjectPage} className="text-accent hover:underline">
                  {event.subjectNoun} {event.subject}
                </Link>
              ),
            ],
            [
              "Action",
              <code key="action" className="font-mono text-xs">
                {event.action}
              </code>,
            ],
            ...event.more.map(({ name, value }) => [name, value] as const),
          ]}
        />
      </Card>
      <Card
        title="What changed"
        padded={false}
        empty={event.changes.length > 0 ? null : "The action says it all: no values were changed."}
      >
        <Diff changes={event.changes} />
      </Card>
    </>
  );
}

/** Each value as it was and as it is since; what was not there is said in words, not by colour alone. */
function Diff({ changes }: Pick<AdminEventDetail, "changes">) {
  return (
    <ul className="divide-y divide-line">
      {changes.map(({ name, before, after }) => (
        <li key={name} className="px-4 py-3 text-sm sm:px-6">
          <p className="font-medium">{name}</p>
          <dl className="mt-2 grid gap-2 font-mono text-xs leading-5 sm:grid-cols-2">
            <Value term="Before" value={before} look="bg-bad-soft text-bad" />
            <Value term="After" value={after} look="bg-good-soft text-good" />
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Value({
  term,
  value,
  look,
}: {
  readonly term: string;
  readonly value: string | null;
  readonly look: string;
}) {
  return (
    <div className={`min-w-0 rounded-lg px-3 py-2 ${value === null ? "bg-sunken text-muted" : look}`}>
      <dt className="font-sans text-xs opacity-90">{term}</dt>
      <dd className="break-words whitespace-pre-wrap">{value ?? "not set"}</dd>
    </div>
  );
}
