import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useActionData, useLoaderData } from "@remix-run/react";
import { ATTEMPT_MINUTES, signInByCode } from "../../../service/account/sign-in.ts";
import { readForm } from "../../.server/form.ts";
import { refuse } from "../../.server/page.ts";
import { browserOf, enterWith, readTry } from "../../.server/session.ts";
import { SubmitButton } from "../../components/button.tsx";
import { EntryPage } from "../../components/entry-page.tsx";
import { TextField } from "../../components/field.tsx";
import { FormFailure } from "../../components/form.tsx";

export const meta: MetaFunction = () => [{ title: "Look into your mail · RelayKey" }];

export async function loader({ request, context }: LoaderFunctionArgs) {
  const kept = await readTry(request, context.deps);
  return kept === null ? redirect("/sign-in") : { email: kept.email, minutes: ATTEMPT_MINUTES };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const { deps } = context;
  const code = (await readForm(request)).text("code");
  const signedIn = await signInByCode(deps, await browserOf(request, deps), code);
  return signedIn.ok ? enterWith(request, deps, signedIn.value) : refuse(signedIn.failure);
}

export default function CheckMail() {
  const { email, minutes } = useLoaderData<typeof loader>();
  return (
    <EntryPage
      title="Look into your mail"
      note={
        <>
          <p>
            A mail is on its way to <strong className="break-all text-ink">{email}</strong>. Open its link in
            this browser, or type its code here. Both work once, for {minutes} minutes.
          </p>
        </>
      }
    >
      <Form method="post" className="flex flex-col gap-4">
        <FormFailure failure={useActionData<typeof action>()?.failure} />
        <TextField
          label="Code"
          name="code"
          required
          maxLength={32}
          placeholder="XXXX-XXXX"
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
        />
        <SubmitButton pending="Checking …">Sign in</SubmitButton>
      </Form>
      <p className="text-sm text-muted">
        Nothing after a minute? Look into the spam folder, or{" "}
        <Link to="/sign-in" className="underline hover:text-ink">
          ask again
        </Link>
        . A mailbox gets five such mails in a quarter of an hour at most.
      </p>
    </EntryPage>
  );
}
