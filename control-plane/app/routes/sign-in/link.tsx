import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { lookAtLink, signInByLink } from "../../../service/account/sign-in.ts";
import type { LinkState } from "../../../service/account/sign-in.ts";
import { readForm } from "../../.server/form.ts";
import { refuse } from "../../.server/page.ts";
import { browserOf, enterWith, readTry } from "../../.server/session.ts";
import { LinkButton, SubmitButton } from "../../components/button.tsx";
import { EntryPage } from "../../components/entry-page.tsx";
import { FormFailure } from "../../components/form.tsx";

export const meta: MetaFunction = () => [{ title: "Sign in · RelayKey" }];

/** Shows the button and changes nothing: a mail scanner that follows the link does not use it up. */
export async function loader({ request, context }: LoaderFunctionArgs) {
  const token = new URL(request.url).searchParams.get("token") ?? "";
  const kept = await readTry(request, context.deps);
  return { token, state: await lookAtLink(context.deps, token, kept?.token ?? null) };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const { deps } = context;
  const token = (await readForm(request)).text("token");
  const signedIn = await signInByLink(deps, await browserOf(request, deps), token);
  return signedIn.ok ? enterWith(request, deps, signedIn.value) : refuse(signedIn.failure);
}

export default function SignInLink() {
  const { token, state } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  if (state !== "ready") return <NotHere state={state} />;
  return (
    <EntryPage
      title="Sign in to RelayKey"
      note="The link works once. You stay signed in for 30 days, or until you sign out."
    >
      <Form method="post" className="flex flex-col gap-4">
        <FormFailure failure={failure} />
        <input type="hidden" name="token" value={token} />
        <SubmitButton pending="Signing in …">Sign in</SubmitButton>
      </Form>
    </EntryPage>
  );
}

function NotHere({ state }: { readonly state: Exclude<LinkState, "ready"> }) {
  if (state === "other_browser") {
    return (
      <EntryPage
        title="Go back to where you asked"
        note="This link was asked for in another browser, and works in that one only. Type the code from the mail there. If it was not you who asked, close this page: nothing happened, and without the code nothing will."
      />
    );
  }
  return (
    <EntryPage
      title="This link does not work"
      note={
        <>
          It was used already, has expired, or is not complete. On your own machine, each{" "}
          <code className="font-mono text-sm">npm start</code> prints a new one.
        </>
      }
    >
      <LinkButton to="/sign-in" variant="primary">
        Ask for a new mail
      </LinkButton>
    </EntryPage>
  );
}
