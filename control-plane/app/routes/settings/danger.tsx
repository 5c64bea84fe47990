import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { readDanger } from "../../.server/danger.ts";
import type { Danger } from "../../.server/danger.ts";
import { redirectWith } from "../../.server/flash.ts";
import type { Redirect } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { continueEnforcement, freezeOrganization, showOrganization } from "../../../service/organizations.ts";
import { invalid } from "../../../service/outcome.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { fieldError } from "../../components/failure.ts";
import { TextField } from "../../components/field.tsx";
import { GoOn } from "../../components/go-on.tsx";
import { Moment } from "../../components/moment.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export const meta: MetaFunction = () => [{ title: "Emergency stop · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<Danger> {
  return readDanger(await enter(args, "organization.read"));
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller } = await enter(args, "organization.freeze");
  const form = await readForm(args.request);
  const intent = form.text("intent");
  if (intent === "continue") {
    unwrap(await continueEnforcement(deps, caller));
    return redirect("/settings/danger");
  }
  const { name } = unwrap(await showOrganization(deps, caller));
  if (intent === "freeze" && form.text("name") !== name) {
    return refuse(invalid("name", `Type the organization's name, ${name}, to confirm.`).failure);
  }
  const done = await freezeOrganization(deps, caller, intent === "freeze");
  if (!done.ok) return refuse(done.failure);
  const { keys, pending } = done.value.enforcement;
  const what = intent === "freeze" ? "refused everywhere" : "in force again";
  return redirectWith(
    deps,
    "/settings/danger",
    pending === 0
      ? { tone: "good", text: `Confirmed by the proxy: all ${String(keys)} keys are ${what}.` }
      : {
          tone: "waiting",
          text: `${String(keys - pending)} of ${String(keys)} keys are ${what}; ${String(pending)} to go.`,
        },
  );
}

export default function DangerZone() {
  const { name, frozen, activeKeys, pendingKeys, mayChange, last } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  const [search] = useSearchParams();
  const confirm = search.get("confirm");
  return (
    <>
      <PageHeader
        back={{ to: "/settings", label: "Settings" }}
        title="Emergency stop"
        note="When a leak is suspected and there is no time to find out whose: refuse every key first, look later."
        actions={<Badge tone={frozen ? "bad" : "good"}>{frozen ? "stopped" : "running"}</Badge>}
      />
      {pendingKeys > 0 && (
        <div className="mb-6">
          <GoOn pending={pendingKeys} mayChange={mayChange} action="/settings/danger" />
        </div>
      )}
      <Card title={frozen ? "Every key is refused" : "Refuse every key"} tone="danger">
        <div className="flex flex-wrap items-center justify-between gap-4 text-sm">
          <div className="max-w-prose">
            {frozen
              ? "No key of this organization lets a request through, and open answers were cut. Keys keep what else is set; to let them through again, end the stop."
              : `${String(activeKeys)} active keys stop within two seconds, and open answers are cut. Nothing is deleted: ending the stop brings them back as they were.`}
            {last !== null && (
              <p className="mt-2 text-muted">
                Last done <Moment iso={last.at} /> UTC by {last.by},{" "}
                <Link to={`/admin-events/${last.id}`} className="text-accent hover:underline">
                  see the record
                </Link>
                .
              </p>
            )}
          </div>
          {mayChange ? (
            <LinkButton
              variant={frozen ? "primary" : "danger"}
              to={frozen ? "?confirm=unfreeze" : "?confirm=freeze"}
              preventScrollReset
            >
              {frozen ? "End the stop …" : "Refuse every key …"}
            </LinkButton>
          ) : (
            <p className="text-muted">Admins can do this.</p>
          )}
        </div>
      </Card>
      {mayChange && confirm === "freeze" && !frozen && (
        <ConfirmDialog
          title="Refuse every key?"
          confirm="Refuse every key"
          pending="Waiting for the proxy …"
          intent="freeze"
          closeTo="/settings/danger"
          failure={failure}
        >
          <p>
            Everything that uses a key of {name} fails until the stop is ended: applications, agents, people.
            It holds once the proxy has confirmed it for each key, which takes about two seconds.
          </p>
          <TextField
            name="name"
            label={`Type ${name} to confirm`}
            required
            error={fieldError(failure, "name")}
          />
        </ConfirmDialog>
      )}
      {mayChange && confirm === "unfreeze" && frozen && (
        <ConfirmDialog
          title="Let the keys through again?"
          confirm="End the stop"
          pending="Waiting for the proxy …"
          intent="unfreeze"
          tone="primary"
          closeTo="/settings/danger"
          failure={failure}
        >
          <p>Keys that were revoked, frozen or expired stay so. All others work as before.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
