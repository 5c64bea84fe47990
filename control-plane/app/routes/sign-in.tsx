import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { signIn } from "../.server/session.ts";

export const meta: MetaFunction = () => [{ title: "Sign in · RelayKey" }];

/** Shows the button and changes nothing: a mail scanner that follows the link does not use it up. */
export function loader({ request }: LoaderFunctionArgs) {
  return { token: new URL(request.url).searchParams.get("token") };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const token = (await request.formData()).get("token");
  const cookie = typeof token === "string" ? await signIn(context.deps, token) : null;
  if (cookie === null) return { failed: true };
  return redirect("/", { headers: { "Set-Cookie": cookie } });
}

export default function SignIn() {
  const { token } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const isDead = token === null || answer?.failed === true;
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-6">
      <img src="/favicon.svg" alt="" className="size-10" />
      <h1 className="mt-6 text-2xl font-semibold tracking-tight">
        {isDead ? "This link does not work" : "Sign in to RelayKey"}
      </h1>
      {isDead ? (
        <p className="mt-3 text-muted">
          It was used already, has expired, or is not complete. Each start of RelayKey prints a new one: stop
          it, run <code className="font-mono text-sm">npm start</code>, and open the link it shows.
        </p>
      ) : (
        <>
          <p className="mt-3 text-muted">The link works once. You stay signed in for 30 days.</p>
          <Form method="post" className="mt-6">
            <input type="hidden" name="token" value={token} />
            <button className="w-full rounded-lg bg-fill px-4 py-2.5 font-medium text-white hover:bg-fill-hover">
              Sign in
            </button>
          </Form>
        </>
      )}
    </main>
  );
}
