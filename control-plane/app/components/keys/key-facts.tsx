import { Link } from "@remix-run/react";
import type { KeyPage } from "../../.server/key-page.ts";
import { Card } from "../card.tsx";
import { Ago, Moment } from "../moment.tsx";
import { Sparkline } from "../sparkline.tsx";

/** What a key is, beside what it can do. */
export function KeyFacts({ page }: { readonly page: KeyPage }) {
  const { key, proxy } = page;
  const requests = key.week.reduce((sum, day) => sum + day, 0);
  return (
    <Card title="At a glance">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-3 text-sm [&_dt]:text-muted">
        <dt>Holder</dt>
        <dd>
          <Link className="hover:underline" to={`/holders/${key.holder.id}`}>
            {key.holder.name}
          </Link>
          <span className="block text-xs text-muted">{page.holder.kind}</span>
        </dd>
        <dt>Integration</dt>
        <dd>
          <Link className="hover:underline" to={`/integrations/${key.integration}`}>
            {key.integration}
          </Link>
        </dd>
        <dt>Last 7 days</dt>
        <dd>
          <Sparkline values={key.week} label={`${String(requests)} requests: ${key.week.join(", ")}`} />
          <span className="block text-xs text-muted">
            {requests} {requests === 1 ? "request" : "requests"}
          </span>
        </dd>
        <dt>Last use</dt>
        <dd>{key.lastUsedAt === null ? "never" : <Ago iso={key.lastUsedAt} />}</dd>
        <dt>Expires</dt>
        <dd>{key.expiresAt === null ? "never" : <Moment iso={key.expiresAt} />}</dd>
        <dt>Made</dt>
        <dd>
          <Moment iso={page.createdAt} />
        </dd>
        {page.replacesId !== null && (
          <>
            <dt>Replaces</dt>
            <dd>
              <Link className="hover:underline" to={`/keys/${page.replacesId}`}>
                the key before it
              </Link>
            </dd>
          </>
        )}
        {page.ipMode === "confirm" && (
          <>
            <dt>Networks</dt>
            <dd>
              <Link className="hover:underline" to={`/holders/${key.holder.id}#networks`}>
                confirmed by its holder
              </Link>
            </dd>
          </>
        )}
        <dt>Policy</dt>
        <dd>
          version {page.policyVersion}
          {page.receipts[0]?.version === page.policyVersion && (
            <span className="block text-xs text-muted">
              in force since <Moment iso={page.receipts[0].enforcedAt} /> UTC
            </span>
          )}
          <span className="block text-xs text-muted">
            {!proxy.isReached
              ? "the proxy cannot be asked just now"
              : proxy.version === null
                ? "the proxy has not heard of it"
                : `the proxy holds version ${String(proxy.version)}`}
          </span>
        </dd>
      </dl>
    </Card>
  );
}
