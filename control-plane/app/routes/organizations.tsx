import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { isId } from "@relaykey/core/ids";
import { listOwnOrganizations, switchOrganization } from "../../service/account/sessions.ts";
import { readForm } from "../.server/form.ts";
import { refuse } from "../.server/page.ts";
import { requirePerson } from "../.server/session.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { EntryPage } from "../components/entry-page.tsx";
import { FormFailure } from "../components/form.tsx";
import { SignOut } from "../components/sign-out.tsx";

export const meta: MetaFunction = () => [{ title: "Organizations · RelayKey" }];

export async function loader({ request, context: { deps } }: LoaderFunctionArgs) {
  const person = await requirePerson(request, deps);
  const organizations = await listOwnOrganizations(deps, person);
  if (organizations.length === 0) return redirect("/welcome");
  return {
    email: person.email,
    organizations: organizations.map(({ organizationId, organizationName, role }) => ({
      id: organizationId,
      name: organizationName,
      role,
      isCurrent: organizationId === person.organizationId,
    })),
  };
}

/** Looks at another organization, in this browser only. */
export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const id = (await readForm(request)).text("organization");
  const switched = isId(id)
    ? await switchOrganization(deps, person, id)
    : ({ ok: false, failure: { code: "not_found" } } as const);
  return switched.ok ? redirect("/") : refuse(switched.failure);
}

export default function Organizations() {
  const { email, organizations } = useLoaderData<typeof loader>();
  return (
    <EntryPage title="Your organizations" note={`You are signed in as ${email}.`}>
      <FormFailure failure={useActionData<typeof action>()?.failure} />
      <ul className="flex flex-col gap-2">
        {organizations.map(({ id, name, role, isCurrent }) => (
          <li key={id}>
            <Form
              method="post"
              className="flex items-center justify-between gap-3 rounded-xl border border-line bg-surface p-3"
            >
              <span className="min-w-0">
                <span className="block truncate font-medium">{name}</span>
                <span className="block text-sm text-muted">
                  {role}
                  {isCurrent ? ", open in this browser" : ""}
                </span>
              </span>
              <SubmitButton variant="secondary" name="organization" value={id} aria-label={`Open ${name}`}>
                Open
              </SubmitButton>
            </Form>
          </li>
        ))}
      </ul>
      <LinkButton to="/welcome" variant="quiet">
        Open another organization
      </LinkButton>
      <SignOut />
    </EntryPage>
  );
}
