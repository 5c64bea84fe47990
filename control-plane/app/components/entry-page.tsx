import type { ReactNode } from "react";

/** A page in front of the sign-in, or beside the organizations: one thing to do, no frame around it. */
export function EntryPage(props: {
  readonly title: ReactNode;
  readonly note?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-md flex-col justify-center px-6 py-16">
      <img src="/favicon.svg" alt="" width="40" height="40" />
      <h1 className="mt-6 text-2xl font-semibold tracking-tight break-words">{props.title}</h1>
      {props.note !== undefined && <div className="mt-3 text-muted">{props.note}</div>}
      {props.children !== undefined && <div className="mt-6 flex flex-col gap-4">{props.children}</div>}
    </main>
  );
}
