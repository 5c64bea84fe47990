import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { askToJoin, domainStanding, openOwnOrganization } from "../../service/account/sign-up.ts";
import { label } from "../../api/schemas/fields.ts";
import { redirectWith } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { refuse } from "../.server/page.ts";
import { requirePerson } from "../.server/session.ts";
import { SubmitButton } from "../components/button.tsx";
import { EntryPage } from "../components/entry-page.tsx";
import { fieldError } from "../components/failure.ts";
import { TextField } from "../components/field.tsx";
import { FormFailure } from "../components/form.tsx";
import { Notice } from "../components/notice.tsx";
import { SignOut } from "../components/sign-out.tsx";

export const meta: MetaFunction = () => [{ title: "Welcome · RelayKey" }];

export async function loader({ request, context: { deps } }: LoaderFunctionArgs) {
  const person = await requirePerson(request, deps);
  const hasAsked = new URL(request.url).searchParams.has("asked");
  return { email: person.email, standing: await domainStanding(deps, person), hasAsked };
}

export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const form = await readForm(request);
  if (form.text("intent") === "ask") {
    const asked = await askToJoin(deps, person);
    return asked.ok ? redirect("/welcome?asked") : refuse(asked.failure);
  }
  const name = label.safeParse(form.text("name"));
  if (!name.success) {
    const errors = name.error.issues.map(({ message }) => ({ field: "name", message }));
    return refuse({ code: "invalid_request", errors });
  }
  const opened = await openOwnOrganization(deps, person, { name: name.data });
  if (!opened.ok) return refuse(opened.failure);
  return redirectWith(deps, "/start", { tone: "good", text: `${name.data} is ready.` });
}

export default function Welcome() {
  const { email, standing, hasAsked } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  if (standing.state === "held") return <Held email={email} domain={standing.domain} hasAsked={hasAsked} />;
  return (
    <EntryPage
      title="Name your organization"
      note={`You are signed in as ${email}. An organization holds your integrations, keys and people; you become its first admin.`}
    >
      <Form method="post" className="flex flex-col gap-4">
        {failure?.errors.length === 0 && <FormFailure failure={failure} />}
        <TextField
          label="Name"
          name="name"
          required
          maxLength={100}
          autoComplete="organization"
          error={fieldError(failure, "name")}
        />
        <Notice tone="info">{CLAIM[standing.state](standing.domain)}</Notice>
        <SubmitButton pending="Opening …">Open the organization</SubmitButton>
      </Form>
      <SignOut />
    </EntryPage>
  );
}

const CLAIM: Record<"claimable" | "public" | "own", (domain: string) => string> = {
  claimable: (domain) =>
    `It will hold the domain ${domain}: colleagues who sign in later join by its invitation, instead of opening another. You can release the domain in the settings.`,
  public: (domain) => `Anybody can have an address at ${domain}, so no domain is claimed.`,
  own: (domain) => `${domain} stays with the organization that holds it, of which you are an admin.`,
};

function Held(props: { readonly email: string; readonly domain: string; readonly hasAsked: boolean }) {
  return (
    <EntryPage
      title="You need an invitation"
      note={
        <>
          An organization uses {props.domain} already, and its admins decide who joins. Ask a colleague who
          works with RelayKey to invite <strong className="break-all text-ink">{props.email}</strong>.
        </>
      }
    >
      {props.hasAsked ? (
        <Notice tone="good">
          The admins get a mail that says that you want to join, once a day at most.
        </Notice>
      ) : (
        <Form method="post">
          <SubmitButton name="intent" value="ask" pending="Telling them …">
            Tell its admins
          </SubmitButton>
        </Form>
      )}
      <SignOut />
    </EntryPage>
  );
}
