import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { clientName } from "@relaykey/core/client-name";
import { isId } from "@relaykey/core/ids";
import { endSession, endSessions, listOwnSessions } from "../../../service/account/sessions.ts";
import { fail } from "../../../service/outcome.ts";
import { redirectWith } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { refuse } from "../../.server/page.ts";
import { requirePerson, setSessionToken } from "../../.server/session.ts";
import { Badge } from "../../components/badge.tsx";
import { SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Ago } from "../../components/moment.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Table } from "../../components/table.tsx";
import type { Column } from "../../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Sessions · RelayKey" }];

export async function loader({ request, context: { deps } }: LoaderFunctionArgs) {
  const sessions = await listOwnSessions(deps, await requirePerson(request, deps));
  return {
    sessions: sessions.map(({ id, ip, userAgent, lastSeenAt, createdAt, isCurrent }) => ({
      id,
      ip,
      browser: clientName(userAgent),
      seen: (lastSeenAt ?? createdAt).toISOString(),
      since: createdAt.toISOString(),
      isCurrent,
    })),
  };
}

export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const form = await readForm(request);
  if (form.text("intent") === "all") {
    await endSessions(deps, person, "all");
    return redirect("/sign-in", { headers: { "Set-Cookie": await setSessionToken(deps, null) } });
  }
  if (form.text("intent") === "others") {
    const ended = await endSessions(deps, person, "others");
    return redirectWith(deps, "/settings/sessions", {
      tone: "good",
      text:
        ended === 1 ? "One other browser is signed out." : `${String(ended)} other browsers are signed out.`,
    });
  }
  const id = form.text("session");
  const ended = isId(id) ? await endSession(deps, person, id) : fail("not_found");
  return ended.ok
    ? redirectWith(deps, "/settings/sessions", { tone: "good", text: "The browser is signed out." })
    : refuse(ended.failure);
}

type Shown = Awaited<ReturnType<typeof loader>>["sessions"][number];

const COLUMNS: readonly Column<Shown>[] = [
  {
    heading: "Browser",
    cell: ({ browser, isCurrent }) => (
      <>
        <span className="mr-2 font-medium break-words">{browser}</span>
        {isCurrent && <Badge tone="good">this browser</Badge>}
      </>
    ),
  },
  { heading: "Address", cell: ({ ip }) => <code className="font-mono text-xs">{ip ?? "unknown"}</code> },
  { heading: "Last seen", cell: ({ seen }) => <Ago iso={seen} /> },
  { heading: "Signed in", cell: ({ since }) => <Ago iso={since} /> },
  {
    heading: "Actions",
    quiet: true,
    align: "right",
    cell: ({ id, isCurrent }) =>
      isCurrent ? null : (
        <Form method="post">
          <SubmitButton variant="secondary" size="sm" name="session" value={id} pending="Signing out …">
            Sign out
          </SubmitButton>
        </Form>
      ),
  },
];

export default function Sessions() {
  const { sessions } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        title="Sessions"
        back={{ to: "/settings", label: "Settings" }}
        note="Browsers that are signed in as you, for 30 days each. What was seen is noted every five minutes. Signing out everywhere ends command lines (rk login), too."
        actions={
          <Form method="post" className="flex flex-wrap gap-2">
            {sessions.length > 1 && (
              <SubmitButton variant="secondary" name="intent" value="others" pending="Signing out …">
                Sign out elsewhere
              </SubmitButton>
            )}
            <SubmitButton variant="danger" name="intent" value="all" pending="Signing out …">
              Sign out everywhere
            </SubmitButton>
          </Form>
        }
      />
      <FormFailure failure={useActionData<typeof action>()?.failure} />
      <Card title="Browsers" padded={false}>
        <Table caption="Browsers" columns={COLUMNS} rows={sessions} keyOf={({ id }) => id} />
      </Card>
    </>
  );
}
