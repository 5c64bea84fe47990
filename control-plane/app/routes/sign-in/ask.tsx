import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { newToken } from "../../../service/account/secrets.ts";
import { askToSignIn } from "../../../service/account/sign-in.ts";
import { readForm } from "../../.server/form.ts";
import { refuse } from "../../.server/page.ts";
import { safePath } from "../../.server/return-path.ts";
import { originOf, readDraftToken, readPerson, readTry, setTry } from "../../.server/session.ts";
import { SubmitButton } from "../../components/button.tsx";
import { EntryPage } from "../../components/entry-page.tsx";
import { fieldError } from "../../components/failure.ts";
import { TextField } from "../../components/field.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";

export const meta: MetaFunction = () => [{ title: "Sign in · RelayKey" }];

export async function loader({ request, context }: LoaderFunctionArgs) {
  const returnTo = safePath(new URL(request.url).searchParams.get("return_to") ?? "");
  if ((await readPerson(request, context.deps)) !== null) return redirect(returnTo);
  return { returnTo, hasDraft: (await readDraftToken(request, context.deps)) !== null };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const { deps } = context;
  const form = await readForm(request);
  // One secret per browser: of several mails that it asked for, each works in it.
  const token = (await readTry(request, deps))?.token ?? newToken();
  const asked = await askToSignIn(deps, originOf(request, deps), {
    email: form.text("email"),
    browserToken: token,
  });
  if (!asked.ok) return refuse(asked.failure);
  const kept = { token, email: asked.value.email, returnTo: safePath(form.text("return_to")) };
  return redirect("/sign-in/check", { headers: { "Set-Cookie": await setTry(deps, kept) } });
}

export default function SignIn() {
  const { returnTo, hasDraft } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  return (
    <EntryPage
      title="Sign in to RelayKey"
      note="You get a mail with a link. There is no password. New here? Type the address you work with."
    >
      {hasDraft && (
        <Notice tone="info" title="You were signed out before the form was sent">
          What you had typed is kept for an hour, in this browser: sign in again, and it is there.
        </Notice>
      )}
      <Form method="post" className="flex flex-col gap-4">
        {failure?.errors.length === 0 && <FormFailure failure={failure} />}
        <input type="hidden" name="return_to" value={returnTo} />
        <TextField
          label="E-mail address"
          name="email"
          type="email"
          required
          maxLength={254}
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          error={fieldError(failure, "email")}
        />
        <SubmitButton pending="Sending …">Send the mail</SubmitButton>
      </Form>
    </EntryPage>
  );
}
