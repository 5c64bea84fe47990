import type { MetaFunction } from "@remix-run/cloudflare";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReasonRow } from "@relaykey/core/block-reasons";
import { PublicPage } from "../components/public-page.tsx";

export const meta: MetaFunction = () => [{ title: "Block reasons · RelayKey" }];

/** Several reasons may share a public code: the page is for callers, who see only that. */
const CODES = [
  ...new Map(Object.values(BLOCK_REASONS).map((row: BlockReasonRow) => [row.code, row])).values(),
];

/** Where the `type` of a refusal leads. */
export default function BlockReasons() {
  return (
    <PublicPage
      title="Why the proxy refuses a request"
      note="Each refusal carries one of these codes, and says what to do next."
    >
      <dl className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
        {CODES.map((row) => (
          <div
            key={row.code}
            id={row.code}
            className="grid gap-x-6 gap-y-1 p-4 text-sm target:bg-accent-soft sm:grid-cols-[15rem_minmax(0,1fr)] sm:px-6"
          >
            <dt>
              <code className="font-mono text-xs font-semibold">{row.code}</code>
              <span className="ml-2 text-muted tabular-nums">{row.status}</span>
            </dt>
            <dd>
              <p className="font-medium">{row.title}</p>
              <p className="mt-0.5 text-muted">{row.detail}</p>
            </dd>
          </div>
        ))}
      </dl>
    </PublicPage>
  );
}
