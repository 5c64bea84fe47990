import { data } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import type { ReactNode } from "react";
import { TOKEN_LIFETIMES, decideDeviceLogin, findDeviceLogin } from "../../service/device-logins.ts";
import type { TokenLifetime } from "../../service/device-logins.ts";
import { readForm } from "../.server/form.ts";
import { enter, refuse } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { fieldError } from "../components/failure.ts";
import { RadioGroup, SelectField, TextField } from "../components/field.tsx";
import { FormActions, FormFailure } from "../components/form.tsx";
import { Moment } from "../components/moment.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Sign in a command line · RelayKey" }];

/** Fills the code in and looks nothing up: following a link decides nothing and tells nothing. */
export async function loader(args: LoaderFunctionArgs) {
  const { url } = await enter(args, "token.change");
  return { code: (url.searchParams.get("code") ?? "").slice(0, 20) };
}

interface Found {
  readonly step: "found";
  readonly code: string;
  readonly client: string;
  readonly ip: string | null;
  readonly since: string;
}

interface Done {
  readonly step: "approved" | "denied";
}

type Answer = Refusal | ReturnType<typeof data<Found | Done>>;

export async function action(args: ActionFunctionArgs): Promise<Answer> {
  const { deps, caller } = await enter(args, "token.change");
  const form = await readForm(args.request);
  const code = form.text("code");
  const intent = form.text("intent");
  if (intent === "approve" || intent === "deny") {
    const lifetime = form.text("lifetime");
    const decided = await decideDeviceLogin(
      deps,
      caller,
      code,
      intent === "approve"
        ? {
            approve: true,
            role: form.text("role") === "admin" ? "admin" : "viewer",
            lifetime: isLifetime(lifetime) ? lifetime : "8h",
          }
        : { approve: false },
    );
    if (!decided.ok) return refuse(decided.failure);
    return data<Done>({ step: intent === "approve" ? "approved" : "denied" });
  }
  const found = await findDeviceLogin(deps, caller, code);
  if (!found.ok) return refuse(found.failure);
  const { client, ip, since } = found.value;
  return data<Found>({ step: "found", code, client, ip, since: since.toISOString() });
}

function isLifetime(text: string): text is TokenLifetime {
  return Object.hasOwn(TOKEN_LIFETIMES, text);
}

export default function Device() {
  const { code } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  if (answer !== undefined && "step" in answer) {
    return answer.step === "found" ? <Decide found={answer} /> : <Decided step={answer.step} />;
  }
  const failure = answer?.failure;
  return (
    <>
      <PageHeader
        title="Sign in a command line"
        note="Type the code that rk login shows. Only go on if you started it yourself."
      />
      <Form method="post" className="flex max-w-md flex-col gap-5">
        <FormFailure failure={failure} />
        <TextField
          name="code"
          label="Code"
          defaultValue={code}
          placeholder="BCDF-GHJK"
          required
          maxLength={20}
          autoCapitalize="characters"
          spellCheck={false}
          error={fieldError(failure, "code")}
        />
        <FormActions>
          <SubmitButton name="intent" value="look" pending="Looking …">
            Continue
          </SubmitButton>
        </FormActions>
      </Form>
    </>
  );
}

function Decide({ found }: { readonly found: Found }) {
  return (
    <>
      <PageHeader
        title="Let this command line in?"
        note="It gets a management token of this organization. Deny it if you did not start it."
      />
      <Card title="Who asks">
        <dl className="grid gap-x-8 gap-y-3 text-sm sm:grid-cols-2">
          <Fact name="Client">{found.client}</Fact>
          <Fact name="Address">{found.ip ?? "unknown"}</Fact>
          <Fact name="Asked">
            <Moment iso={found.since} /> UTC
          </Fact>
          <Fact name="Code">
            <code className="font-mono">{found.code.toUpperCase()}</code>
          </Fact>
        </dl>
      </Card>
      <Form method="post" className="mt-8 flex max-w-xl flex-col gap-6">
        <input type="hidden" name="code" value={found.code} />
        <RadioGroup
          name="role"
          label="What it may do"
          defaultValue="admin"
          choices={[
            { value: "admin", label: "Change things", hint: "Issue and revoke keys, as an admin." },
            { value: "viewer", label: "Look only", hint: "Read keys, integrations and the audit log." },
          ]}
        />
        <SelectField
          name="lifetime"
          label="For how long"
          defaultValue="8h"
          choices={[
            { value: "8h", label: "8 hours" },
            { value: "1d", label: "1 day" },
            { value: "7d", label: "7 days" },
            { value: "30d", label: "30 days" },
          ]}
          hint="rk logout, or revoking the token, ends it earlier."
        />
        <FormActions>
          <SubmitButton name="intent" value="approve" pending="Approving …">
            Let it in
          </SubmitButton>
          <SubmitButton name="intent" value="deny" variant="secondary" pending="Denying …">
            Deny
          </SubmitButton>
        </FormActions>
      </Form>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-muted">{name}</dt>
      <dd className="font-medium break-words">{children}</dd>
    </div>
  );
}

function Decided({ step }: { readonly step: Done["step"] }) {
  return (
    <>
      <PageHeader title={step === "approved" ? "The command line is let in" : "Denied"} />
      <Notice tone={step === "approved" ? "good" : "info"}>
        {step === "approved"
          ? "It goes on by itself within a few seconds. You can close this page."
          : "The command line gets nothing. If you did not start it, somebody else may have sent you the code."}
      </Notice>
    </>
  );
}
