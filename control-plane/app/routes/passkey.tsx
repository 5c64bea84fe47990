import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import { STRONG_MINUTES, finishAssertion, relyingParty } from "../../service/account/passkeys.ts";
import { readForm } from "../.server/form.ts";
import { refuse } from "../.server/page.ts";
import { safePath } from "../.server/return-path.ts";
import { requirePerson } from "../.server/session.ts";
import { EntryPage } from "../components/entry-page.tsx";
import { Notice } from "../components/notice.tsx";
import { ShowPasskey } from "../components/passkey-buttons.tsx";

export const meta: MetaFunction = () => [{ title: "Show your passkey · RelayKey" }];

export async function loader({ request, context: { deps } }: LoaderFunctionArgs) {
  const { isStrong } = await requirePerson(request, deps);
  const url = new URL(request.url);
  const returnTo = safePath(url.searchParams.get("return_to") ?? "");
  if (isStrong) return redirect(returnTo);
  const { origin } = relyingParty(deps);
  return { returnTo, minutes: STRONG_MINUTES, elsewhere: url.origin === origin ? null : origin };
}

export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const form = await readForm(request);
  const accepted = await finishAssertion(deps, person, parse(form.raw("response")));
  return accepted.ok ? redirect(safePath(form.text("return_to"))) : refuse(accepted.failure);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export default function ShowPasskeyPage() {
  const { returnTo, minutes, elsewhere } = useLoaderData<typeof loader>();
  return (
    <EntryPage
      title="Show your passkey"
      note={`What you are about to do asks for it. You are not asked again for ${String(minutes)} minutes.`}
    >
      {elsewhere === null ? (
        <ShowPasskey returnTo={returnTo} />
      ) : (
        <Notice tone="info">
          Your passkey belongs to another host name: sign in at{" "}
          <a className="underline" href={elsewhere}>
            {elsewhere}
          </a>
          .
        </Notice>
      )}
    </EntryPage>
  );
}
