import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { label } from "../../../api/schemas/fields.ts";
import { domainStanding } from "../../../service/account/sign-up.ts";
import { GRACE_DAYS, cancelDeletion, requestDeletion } from "../../../service/deletion.ts";
import { claimOwnDomain, listDomains, releaseDomain } from "../../../service/domains.ts";
import { changeOrganization, showOrganization } from "../../../service/organizations.ts";
import { fail } from "../../../service/outcome.ts";
import { redirectWith } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import { requirePerson } from "../../.server/session.ts";
import { LinkButton, SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { fieldError } from "../../components/failure.ts";
import { TextField } from "../../components/field.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Moment } from "../../components/moment.tsx";
import { Notice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Organization · RelayKey" }];

const HERE = "/settings/organization";

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "organization.read");
  const organization = unwrap(await showOrganization(deps, caller));
  const domains = unwrap(await listDomains(deps, caller));
  const standing = await domainStanding(deps, await requirePerson(args.request, deps));
  return {
    isAdmin: caller.role === "admin",
    name: organization.name,
    id: organization.id,
    deleteAfter: organization.deleteAfter?.toISOString() ?? null,
    domains: domains.map(({ domain, createdAt }) => ({ domain, since: createdAt.toISOString() })),
    claimable: standing.state === "claimable" ? standing.domain : null,
    release: url.searchParams.get("release"),
    confirm: url.searchParams.get("confirm"),
    graceDays: GRACE_DAYS,
  };
}

export async function action(args: ActionFunctionArgs) {
  const { deps, caller } = await enter(args, "organization.read");
  const form = await readForm(args.request);
  switch (form.text("intent")) {
    case "rename": {
      const name = label.safeParse(form.text("name"));
      if (!name.success) {
        const errors = name.error.issues.map(({ message }) => ({ field: "name", message }));
        return refuse({ code: "invalid_request", errors });
      }
      const renamed = await changeOrganization(deps, caller, { name: name.data });
      return renamed.ok ? done(`The organization is called ${name.data}.`) : refuse(renamed.failure);
    }
    case "claim": {
      const claimed = await claimOwnDomain(deps, caller, await requirePerson(args.request, deps));
      return claimed.ok ? done(`${claimed.value.domain} is yours.`) : refuse(claimed.failure);
    }
    case "release": {
      const released = await releaseDomain(deps, caller, form.text("domain"));
      return released.ok ? done(`${released.value.domain} is released.`) : refuse(released.failure);
    }
    case "delete": {
      const marked = await requestDeletion(deps, caller, form.text("typed"));
      if (!marked.ok) return refuse(marked.failure);
      const { state, pending } = marked.value.enforcement;
      return state === "enforced"
        ? done("Every key is refused. The organization waits for its deletion.")
        : redirectWith(deps, HERE, {
            tone: "waiting",
            text: `The organization waits for its deletion. ${String(pending)} keys are not refused everywhere yet.`,
          });
    }
    case "keep": {
      const kept = await cancelDeletion(deps, caller);
      return kept.ok ? done("The organization stays.") : refuse(kept.failure);
    }
    default:
      return refuse(fail("not_found").failure);
  }

  function done(text: string) {
    return redirectWith(deps, HERE, { tone: "good", text });
  }
}

export default function Organization() {
  const shown = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  return (
    <>
      <PageHeader
        title="Organization"
        back={{ to: "/settings", label: "Settings" }}
        note={<code className="font-mono text-xs">{shown.id}</code>}
      />
      {shown.deleteAfter !== null && <Waiting deleteAfter={shown.deleteAfter} isAdmin={shown.isAdmin} />}
      {shown.confirm === null && <FormFailure failure={failure} />}
      <Card title="Name">
        <Form method="post" className="flex max-w-md flex-col gap-4">
          <TextField
            key={shown.name}
            label="Name"
            name="name"
            defaultValue={shown.name}
            required
            maxLength={100}
            disabled={!shown.isAdmin}
            error={shown.confirm === null ? fieldError(failure, "name") : undefined}
          />
          {shown.isAdmin && (
            <div>
              <SubmitButton variant="secondary" name="intent" value="rename" pending="Renaming …">
                Rename
              </SubmitButton>
            </div>
          )}
        </Form>
      </Card>
      <Domains shown={shown} />
      {shown.isAdmin && shown.deleteAfter === null && (
        <Card title="Danger zone" tone="danger">
          <div className="flex flex-wrap items-center justify-between gap-4">
            <p className="max-w-prose text-sm">
              Deleting the organization refuses all of its keys at once. After {shown.graceDays} days it is
              gone, with its integrations, keys, people and audit log; until then it can be taken back.
            </p>
            <LinkButton to="?confirm=delete" variant="danger" preventScrollReset>
              Delete the organization
            </LinkButton>
          </div>
        </Card>
      )}
      <Dialogs shown={shown} failure={failure} />
    </>
  );
}

type Shown = Awaited<ReturnType<typeof loader>>;

function Waiting({ deleteAfter, isAdmin }: { readonly deleteAfter: string; readonly isAdmin: boolean }) {
  return (
    <div className="mb-6">
      <Notice
        tone="bad"
        title="This organization will be deleted"
        aside={
          isAdmin ? (
            <Form method="post">
              <SubmitButton variant="secondary" name="intent" value="keep" pending="Keeping …">
                Keep it
              </SubmitButton>
            </Form>
          ) : undefined
        }
      >
        All of its keys are refused. It goes, with all it has, after <Moment iso={deleteAfter} /> UTC.
      </Notice>
    </div>
  );
}

function Domains({ shown }: { readonly shown: Shown }) {
  return (
    <Card
      title="Domains"
      note="New people with an address at a domain that the organization holds need its invitation."
      padded={shown.domains.length === 0}
    >
      {shown.domains.length === 0 ? (
        <p className="text-sm text-muted">
          It holds no domain.
          {shown.claimable === null &&
            " An admin who signs in with an address of your company can claim its domain here; one at a public mail provider belongs to nobody."}
        </p>
      ) : (
        <ul className="divide-y divide-line">
          {shown.domains.map(({ domain, since }) => (
            <li key={domain} className="flex flex-wrap items-center justify-between gap-3 px-4 py-3 sm:px-6">
              <span className="min-w-0">
                <span className="block font-medium break-all">{domain}</span>
                <span className="block text-sm text-muted">
                  since <Moment iso={since} />
                </span>
              </span>
              {shown.isAdmin && (
                <LinkButton size="sm" to={`?release=${encodeURIComponent(domain)}`} preventScrollReset>
                  Release<span className="sr-only"> {domain}</span>
                </LinkButton>
              )}
            </li>
          ))}
        </ul>
      )}
      {shown.isAdmin && shown.claimable !== null && (
        <Form
          method="post"
          className={shown.domains.length === 0 ? "mt-4" : "border-t border-line p-4 sm:px-6"}
        >
          <SubmitButton variant="secondary" name="intent" value="claim" pending="Claiming …">
            Claim {shown.claimable}
          </SubmitButton>
        </Form>
      )}
    </Card>
  );
}

function Dialogs(props: { readonly shown: Shown; readonly failure: Parameters<typeof fieldError>[0] }) {
  const { shown, failure } = props;
  if (shown.release !== null && shown.domains.some(({ domain }) => domain === shown.release)) {
    return (
      <ConfirmDialog
        title={`Release ${shown.release}?`}
        confirm="Release"
        pending="Releasing …"
        closeTo={HERE}
        intent="release"
        failure={failure}
      >
        <p>The next person who signs up with an address there may open an organization that holds it.</p>
        <input type="hidden" name="domain" value={shown.release} />
      </ConfirmDialog>
    );
  }
  if (shown.confirm !== "delete" || shown.deleteAfter !== null) return null;
  return (
    <ConfirmDialog
      title={`Delete ${shown.name}?`}
      confirm="Delete the organization"
      pending="Refusing its keys …"
      closeTo={HERE}
      intent="delete"
      failure={failure}
    >
      <p>
        All of its keys are refused at once. Its admins get a mail, and can take this back for{" "}
        {shown.graceDays} days.
      </p>
      <TextField
        label={`Type the name: ${shown.name}`}
        name="typed"
        required
        autoComplete="off"
        error={fieldError(failure, "name")}
      />
    </ConfirmDialog>
  );
}
