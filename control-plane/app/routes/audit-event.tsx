import { BLOCK_REASONS, isBlockReason } from "@relaykey/core/block-reasons";
import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { readAuditEvent } from "../.server/audit-event.ts";
import type { ShownAuditEvent } from "../.server/audit-event.ts";
import { enter } from "../.server/page.ts";
import { Badge, reasonTitle } from "../components/badge.tsx";
import { Card } from "../components/card.tsx";
import { EventProof } from "../components/chain-state.tsx";
import { Facts } from "../components/facts.tsx";
import { Moment } from "../components/moment.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Request · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<ShownAuditEvent> {
  return readAuditEvent(await enter(args, "audit.read"), args.params["requestId"] ?? "");
}

const OUTCOMES: Record<ShownAuditEvent["outcome"], string> = {
  completed: "The answer was sent to its end",
  client_disconnected: "The caller went away before the end",
  upstream_failed: "The vendor's answer broke off",
  cut: "The answer was cut when the key no longer allowed it",
  unknown: "Not known: the proxy stopped before it could tell",
};

export default function AuditEvent() {
  const event = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        back={{ to: "/audit", label: "Audit log" }}
        title={
          <span className="font-mono text-xl break-all">
            {event.method} {event.integration}:{event.path}
          </span>
        }
      />
      <Card title="Why it was decided so">
        <Why event={event} />
      </Card>
      <Card title="The request">
        <Facts facts={requestFacts(event)} />
      </Card>
      <Card title="In the chain">
        <EventProof proof={event.proof} />
      </Card>
    </>
  );
}

function Why({ event }: { readonly event: ShownAuditEvent }) {
  const { decision, reason, explanation } = event;
  const { rules, today, remedy } = explanation;
  const title = reason === null ? null : reasonTitle(reason);
  return (
    <div className="flex flex-col gap-4 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={decision === "allowed" ? "good" : "bad"}>{decision}</Badge>
        {title !== null && <span className="font-medium">{title}</span>}
        {reason !== null && (
          <code className="font-mono text-xs text-muted">
            {reason}
            {isBlockReason(reason) && `, told as ${BLOCK_REASONS[reason].code}`}
          </code>
        )}
      </p>
      {remedy !== null && (
        <p>
          <span className="font-medium">What would allow it: </span>
          {remedy}
        </p>
      )}
      {today !== null && (
        <p>
          <span className="font-medium">The key's policy of today </span>
          {today.verdict === "allowed" ? (
            <>
              admits it by the rule <code className="font-mono text-xs">{today.rule}</code>.
            </>
          ) : (
            <>refuses it: {reasonTitle(today.reason).toLowerCase()}.</>
          )}
          {explanation.isCounted &&
            " Limits and new addresses are counted as requests arrive, so this verdict leaves them out."}
          {explanation.lacksQuery && " The query was not recorded, so rules about queries may say otherwise."}
        </p>
      )}
      {rules.length > 0 && (
        <div>
          <p className="font-medium">Its rules of today</p>
          <ul className="mt-1 font-mono text-xs leading-6">
            {rules.map((rule) => (
              <li
                key={rule}
                className={today?.verdict === "allowed" && today.rule === rule ? "text-good" : ""}
              >
                {rule}
              </li>
            ))}
          </ul>
        </div>
      )}
      {today === null && (
        <p className="text-muted">
          No key of this organization was named, so there is no policy to compare with.
        </p>
      )}
    </div>
  );
}

function requestFacts(event: ShownAuditEvent): Parameters<typeof Facts>[0]["facts"] {
  const all = (name: string, value: string) => (
    <Link
      to={`/audit?${new URLSearchParams({ [name]: value }).toString()}`}
      className="text-muted hover:underline"
    >
      all its requests
    </Link>
  );
  return [
    ["Time (UTC)", <Moment key="at" iso={event.at} />],
    [
      "Key",
      event.keyId === null ? (
        "none"
      ) : (
        <span className="flex flex-wrap gap-3">
          <Link to={`/keys/${event.keyId}`} className="text-accent hover:underline">
            {event.key ?? event.keyId}
          </Link>
          {all("key", event.keyId)}
        </span>
      ),
    ],
    [
      "Holder",
      event.holderId === null ? (
        "none"
      ) : (
        <Link key="holder" to={`/holders/${event.holderId}`} className="text-accent hover:underline">
          {event.holder ?? event.holderId}
        </Link>
      ),
    ],
    [
      "Query",
      event.query ?? (
        <span key="query" className="text-muted">
          not recorded
        </span>
      ),
    ],
    [
      "Status",
      `${String(event.status)}${event.upstreamStatus === null ? "" : ` (the vendor answered ${String(event.upstreamStatus)})`}`,
    ],
    ["Outcome", OUTCOMES[event.outcome]],
    [
      "IP address",
      event.ip === null ? (
        "not known"
      ) : (
        <span className="flex flex-wrap gap-3">
          <code className="font-mono text-xs leading-5">{event.ip}</code>
          {all("ip", event.ip)}
        </span>
      ),
    ],
    ["User agent", event.userAgent ?? "none"],
    ["Duration", `${event.durationMs.toLocaleString("en")} ms`],
    ["Bytes", `${event.bytesIn.toLocaleString("en")} in, ${event.bytesOut.toLocaleString("en")} out`],
    [
      "Header fields not sent on",
      event.droppedHeaders.length === 0 ? "none" : event.droppedHeaders.join(", "),
    ],
    [
      "Request id",
      <code key="id" className="font-mono text-xs break-all">
        {event.requestId}
      </code>,
    ],
  ];
}
