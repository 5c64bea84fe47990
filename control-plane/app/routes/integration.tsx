import { PROBE_VERDICTS } from "@relaykey/core/probe";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { checkInput } from "../../api/input.ts";
import { secret } from "../../api/schemas/integrations.ts";
import { changeIntegration, deleteIntegration, showIntegration } from "../../service/integrations.ts";
import type { FanOut } from "../../service/enforcement.ts";
import { rollBackVendorKey, rotateVendorKey, testVendorKey } from "../../service/vendor-keys.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { readIntegrationPage } from "../.server/integration-page.ts";
import type { IntegrationPage } from "../.server/integration-page.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Code } from "../components/code-snippet.tsx";
import { FormFailure } from "../components/form.tsx";
import { readGrace } from "../components/grace.tsx";
import { HealthBadges } from "../components/integrations/health.tsx";
import { IntegrationDialog } from "../components/integrations/integration-dialog.tsx";
import { IntegrationSettings, VendorKeyFacts } from "../components/integrations/integration-facts.tsx";
import { KeyTable } from "../components/keys/key-table.tsx";
import { Notice, PendingNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.name ?? "Integration"} · Integrations · RelayKey` },
];

export async function loader(args: LoaderFunctionArgs): Promise<IntegrationPage> {
  const { deps, caller } = await enter(args, "integration.read");
  return readIntegrationPage(deps, caller, args.params["slug"]);
}

/** How long the key that a roll back replaces can be brought back. */
const AFTER_ROLL_BACK_MS = 86_400_000;

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const form = await readForm(args.request);
  const intent = form.text("intent");
  const isRotation = intent === "rotate" || intent === "roll_back";
  const { deps, caller } = await enter(args, isRotation ? "integration.rotate" : "integration.change");
  const { slug, name } = unwrap(await showIntegration(deps, caller, args.params["slug"] ?? ""));
  const here = `/integrations/${slug}`;
  const done = (enforcement: FanOut, text: string): Promise<Redirect> =>
    enforcement.state === "enforced"
      ? redirectWith(deps, here, { tone: "good", text })
      : redirectWith(deps, here, {
          tone: "waiting",
          text: `Stored. ${String(enforcement.pending)} of ${String(enforcement.keys)} keys wait for the proxy to confirm it.`,
        });
  switch (intent) {
    case "test": {
      const tried = await testVendorKey(deps, caller, slug, null);
      if (!tried.ok) return refuse(tried.failure);
      const { verdict, latencyMs } = tried.value;
      return redirectWith(deps, here, {
        tone: verdict === "accepted" ? "good" : verdict === "refused" ? "bad" : "waiting",
        text: `${PROBE_VERDICTS[verdict]} (${String(latencyMs)} ms)`,
      });
    }
    case "enable":
    case "disable": {
      const changed = await changeIntegration(deps, caller, slug, { enabled: intent === "enable" });
      if (!changed.ok) return refuse(changed.failure);
      return done(
        changed.value.enforcement,
        `${name} is ${intent === "enable" ? "enabled" : "disabled"}, everywhere.`,
      );
    }
    case "rotate": {
      const read = checkInput(secret, form.raw("secret"));
      if (!read.ok) {
        const errors = (read.failure.errors ?? []).map(({ message }) => ({ field: "secret", message }));
        return refuse({ ...read.failure, errors });
      }
      const rotated = await rotateVendorKey(deps, caller, slug, {
        secret: read.value,
        restorableMs: readGrace(form.text("restorable")),
        test: form.flag("test"),
      });
      if (!rotated.ok) return refuse(rotated.failure);
      return done(
        rotated.value.enforcement,
        "The new vendor key is in use everywhere. No RelayKey had to change.",
      );
    }
    case "roll_back": {
      const back = await rollBackVendorKey(deps, caller, slug, AFTER_ROLL_BACK_MS);
      if (!back.ok) return refuse(back.failure);
      return done(back.value.enforcement, "The former vendor key is in use again, everywhere.");
    }
    case "delete": {
      const gone = await deleteIntegration(deps, caller, slug);
      if (!gone.ok) return refuse(gone.failure);
      return redirectWith(deps, "/integrations", {
        tone: "good",
        text: `${name} is deleted, and its vendor key with it.`,
      });
    }
    default:
      return refuse({ code: "invalid_request" });
  }
}

export default function Integration() {
  const page = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [query] = useSearchParams();
  const link = (name: string) => ({ to: `?confirm=${name}`, preventScrollReset: true });
  return (
    <>
      <PageHeader
        title={page.name}
        back={{ to: "/integrations", label: "Integrations" }}
        note={<HealthBadges enabled={page.enabled} health={page.health} />}
        {...(page.canChange
          ? {
              actions: (
                <>
                  {page.enabled ? (
                    <LinkButton {...link("disable")}>Disable</LinkButton>
                  ) : (
                    <LinkButton {...link("enable")}>Enable</LinkButton>
                  )}
                  <LinkButton to={`/integrations/${page.slug}/edit`}>Edit</LinkButton>
                  {page.canCreateKey && (
                    <LinkButton to={`/keys/new?integration=${page.slug}`} variant="primary">
                      New key
                    </LinkButton>
                  )}
                </>
              ),
            }
          : {})}
      />
      <IntegrationDialog page={page} which={query.get("confirm")} failure={answer?.failure} />
      <div className="mb-6 flex flex-col gap-4">
        {query.get("confirm") === null && <FormFailure failure={answer?.failure} />}
        <PendingNotice keys={page.pending} />
        {!page.enabled && (
          <Notice tone="waiting" title="Disabled">
            Every request to {page.name} is refused, whatever its key allows.
          </Notice>
        )}
        {page.health === "failing" && (
          <Notice tone="bad" title="The vendor refuses the key">
            Requests reach the vendor and come back refused. Rotate the vendor key; RelayKeys stay as they
            are.
          </Notice>
        )}
        {!page.canChange && (
          <Notice tone="info">
            You can look at this integration. To change it, ask an admin of the organization.
          </Notice>
        )}
      </div>
      <Card
        title="Vendor key"
        note="Sealed. Only the proxy can open it; this dashboard cannot show it."
        {...(page.canChange
          ? {
              actions: (
                <>
                  {page.hasProbe && (
                    <Form method="post">
                      <SubmitButton
                        name="intent"
                        value="test"
                        size="sm"
                        variant="secondary"
                        pending="Asking …"
                      >
                        Test the key
                      </SubmitButton>
                    </Form>
                  )}
                  {page.canRotate && (
                    <LinkButton size="sm" {...link("rotate")}>
                      Rotate
                    </LinkButton>
                  )}
                </>
              ),
            }
          : {})}
      >
        <VendorKeyFacts page={page} />
      </Card>
      <Card title="Address" note="What callers put in place of the vendor's own address.">
        <Code text={page.address} label="the address" />
      </Card>
      <IntegrationSettings page={page} />
      <Card
        title="Keys that use it"
        padded={false}
        {...(page.hasMoreKeys
          ? {
              actions: (
                <LinkButton size="sm" to={`/keys?integration=${page.slug}`}>
                  All keys
                </LinkButton>
              ),
            }
          : {})}
        empty={
          page.keys.length === 0
            ? "None yet. A key is what people and programs hold in place of the vendor's."
            : undefined
        }
      >
        <KeyTable caption="Keys that use it" keys={page.keys} of="integration" />
      </Card>
      {page.canChange && page.keys.length === 0 && (
        <Card title="Delete" tone="danger">
          <div className="flex flex-wrap items-center justify-between gap-4 text-sm">
            <p>No key was ever made for it, so nothing depends on it.</p>
            <LinkButton {...link("delete")}>Delete …</LinkButton>
          </div>
        </Card>
      )}
    </>
  );
}
