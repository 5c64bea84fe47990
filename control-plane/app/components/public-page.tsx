import type { ReactNode } from "react";
import { PageHeader } from "./page-header.tsx";

/** A page that anybody may read, signed in or not. */
export function PublicPage(props: {
  readonly title: string;
  readonly note?: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="mx-auto max-w-4xl px-4 pb-20 sm:px-6">
      <header className="flex items-center justify-between py-4">
        <a href="/" className="flex items-center gap-2 font-semibold">
          <img src="/favicon.svg" alt="" width="24" height="24" /> RelayKey
        </a>
        <nav aria-label="Public pages" className="flex gap-4 text-sm text-muted">
          <a href="/trust" className="hover:text-ink hover:underline">
            Trust
          </a>
          <a href="/docs/block-reasons" className="hover:text-ink hover:underline">
            Block reasons
          </a>
        </nav>
      </header>
      <main className="pt-6">
        <PageHeader title={props.title} {...(props.note === undefined ? {} : { note: props.note })} />
        {props.children}
      </main>
    </div>
  );
}
