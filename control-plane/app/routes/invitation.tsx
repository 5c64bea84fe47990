import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { acceptInvitation, lookAtInvitation } from "../../service/invitations.ts";
import { redirectWith } from "../.server/flash.ts";
import { refuse } from "../.server/page.ts";
import { readPerson, requirePerson } from "../.server/session.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { EntryPage } from "../components/entry-page.tsx";
import { FormFailure } from "../components/form.tsx";
import { SignOut } from "../components/sign-out.tsx";

export const meta: MetaFunction = () => [{ title: "Invitation · RelayKey" }];

/** Shows what is offered and changes nothing. */
export async function loader({ request, params, context: { deps } }: LoaderFunctionArgs) {
  const person = await readPerson(request, deps);
  const offer = await lookAtInvitation(deps, person, params["token"] ?? "");
  return { offer, signedInAs: person?.email ?? null, path: new URL(request.url).pathname };
}

export async function action({ request, params, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const accepted = await acceptInvitation(deps, person, params["token"] ?? "");
  if (!accepted.ok) return refuse(accepted.failure);
  return redirectWith(deps, "/", { tone: "good", text: `Welcome to ${accepted.value.organization}.` });
}

export default function Invitation() {
  const { offer, signedInAs, path } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  if (offer === null) {
    return (
      <EntryPage
        title="This invitation cannot be accepted"
        note="It was accepted or withdrawn, has expired, or is not complete. Ask whoever invited you for a new one."
      >
        <LinkButton to="/">Go on to RelayKey</LinkButton>
      </EntryPage>
    );
  }
  return (
    <EntryPage
      title={`Join ${offer.organization}`}
      note={`${offer.invitedBy ?? "An admin"} invites ${offer.email} as ${ROLE_WORDS[offer.role]}.`}
    >
      {offer.isForReader ? (
        <Form method="post" className="flex flex-col gap-4">
          <FormFailure failure={failure} />
          <SubmitButton pending="Joining …">Join</SubmitButton>
        </Form>
      ) : signedInAs === null ? (
        <LinkButton to={`/sign-in?return_to=${encodeURIComponent(path)}`} variant="primary">
          Sign in as {offer.email}
        </LinkButton>
      ) : (
        <>
          <p className="text-sm text-muted">
            You are signed in as <strong className="break-all text-ink">{signedInAs}</strong>. Sign out, open
            the link again, and sign in with the address that was invited.
          </p>
          <SignOut />
        </>
      )}
    </EntryPage>
  );
}

const ROLE_WORDS = {
  admin: "an admin, who can change everything",
  viewer: "a viewer, who can see everything and change nothing",
} as const;
