import type { MetaFunction } from "@remix-run/cloudflare";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReasonRow } from "@relaykey/core/block-reasons";

export const meta: MetaFunction = () => [{ title: "Block reasons · RelayKey" }];

/** Several reasons may share a public code: the page is for callers, who see only that. */
const CODES = [
  ...new Map(Object.values(BLOCK_REASONS).map((row: BlockReasonRow) => [row.code, row])).values(),
];

/** Where the `type` of a refusal leads. */
export default function BlockReasons() {
  return (
    <main className="mx-auto max-w-2xl px-4 py-12 md:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">Why the proxy refuses a request</h1>
      {CODES.map((row) => (
        <section key={row.code} id={row.code} className="mt-8">
          <h2 className="font-semibold">
            <code className="font-mono text-sm">{row.code}</code> · {row.status}
          </h2>
          <p className="mt-1">{row.title}.</p>
          <p className="mt-1 text-muted">{row.detail}</p>
        </section>
      ))}
    </main>
  );
}
