import { data } from "@remix-run/cloudflare";
import type { LoaderFunctionArgs } from "@remix-run/cloudflare";
import { Outlet, useLoaderData, useRouteError, useRouteLoaderData } from "@remix-run/react";
import { takeFlash } from "../.server/flash.ts";
import { memberOf } from "../.server/page.ts";
import { readShell } from "../.server/shell.ts";
import type { ShellData } from "../components/shell/shell.tsx";
import { Shell } from "../components/shell/shell.tsx";
import { FailurePage, failureOf } from "../components/states.tsx";

type Answer = ReturnType<typeof data<ShellData>>;

export async function loader({ request, context }: LoaderFunctionArgs): Promise<Answer> {
  const member = await memberOf(request, context);
  const { flash, headers } = await takeFlash(request, context.deps);
  return data(await readShell(context.deps, member, flash), { headers });
}

/** The frame around everything behind the sign-in. */
export default function ShellRoute() {
  return (
    <Shell shell={useLoaderData<typeof loader>()}>
      <Outlet />
    </Shell>
  );
}

/** A page that fails keeps its frame, as long as the frame itself could be made. */
export function ErrorBoundary() {
  const error = useRouteError();
  // null where an action failed in an answer of its own: no loader ran then.
  const shell = useRouteLoaderData<typeof loader>("routes/shell") as ShellData | null | undefined;
  const page = <FailurePage failure={failureOf(error)} />;
  // Absent when the frame's own loader failed, null when it did not run: after an action that was refused.
  if (!shell) return <main className="mx-auto max-w-md px-6 py-24">{page}</main>;
  return <Shell shell={shell}>{page}</Shell>;
}
