import type { IntegrationPage } from "../../.server/integration-page.ts";
import { LinkButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { Ago, Moment } from "../moment.tsx";

const LIST = "grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-3 text-sm [&_dt]:text-muted";

/** The versions of the vendor key; never the key. */
export function VendorKeyFacts({
  page: { secret: key, healthAt, canRotate },
}: {
  readonly page: IntegrationPage;
}) {
  return (
    <dl className={LIST}>
      <dt>Version</dt>
      <dd>
        {key.version}
        {key.since !== null && (
          <span className="text-muted">
            , since <Moment iso={key.since} /> UTC
          </span>
        )}
      </dd>
      <dt>Last tested</dt>
      <dd>{healthAt === null ? "never" : <Ago iso={healthAt} />}</dd>
      {key.restorable !== null && (
        <>
          <dt>Before it</dt>
          <dd className="flex flex-wrap items-center gap-3">
            <span>
              version {key.restorable.version}, kept until <Moment iso={key.restorable.until} /> UTC
            </span>
            {canRotate && (
              <LinkButton size="sm" to="?confirm=roll_back" preventScrollReset>
                Roll back
              </LinkButton>
            )}
          </dd>
        </>
      )}
    </dl>
  );
}

/** How an integration is set. What is a risk stands out. */
export function IntegrationSettings({ page }: { readonly page: IntegrationPage }) {
  return (
    <Card title="Settings">
      <dl className={LIST}>
        <dt>Upstream</dt>
        <dd className="font-mono text-xs leading-5 break-all">{page.upstream}</dd>
        <dt>Its key goes to</dt>
        <dd>{page.credential}</dd>
        <dt>Request headers</dt>
        <dd className="font-mono text-xs leading-5 break-words">
          {page.requestHeaders.length === 0
            ? "the safe list"
            : `the safe list, ${page.requestHeaders.join(", ")}`}
        </dd>
        <dt>Refusals</dt>
        <dd>{page.dialect}</dd>
        <dt>Time-out</dt>
        <dd>{page.timeoutSeconds} s</dd>
        <dt>Vendor key in answers</dt>
        <dd>
          {page.scrubResponses ? "blotted out" : <strong className="text-waiting">not looked for</strong>}
        </dd>
        <dt>Query strings</dt>
        <dd>
          {page.logQuery ? (
            <strong className="text-waiting">recorded in the audit log</strong>
          ) : (
            "not recorded"
          )}
        </dd>
        <dt>Vendor's cookies</dt>
        <dd>
          {page.responseCookies ? <strong className="text-waiting">handed to callers</strong> : "kept back"}
        </dd>
        <dt>Encoded slashes</dt>
        <dd>{page.allowEncodedSlash ? <strong className="text-bad">admitted</strong> : "refused"}</dd>
      </dl>
    </Card>
  );
}
