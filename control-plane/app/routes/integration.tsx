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
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import type { ShownFailure } from "../components/failure.ts";
import { Checkbox, SelectField } from "../components/field.tsx";
import { FormFailure } from "../components/form.tsx";
import { VendorKeyField } from "../components/integrations/fields.tsx";
import { HealthBadges } from "../components/integrations/health.tsx";
import { KeyTable } from "../components/keys/key-table.tsx";
import { Ago, Moment } from "../components/moment.tsx";
import { Notice, PendingNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.name ?? "Integration"} · Integrations · RelayKey` },
];

export async function loader(args: LoaderFunctionArgs): Promise<IntegrationPage> {
  const { deps, caller } = await enter(args, "integration.read");
  return readIntegrationPage(deps, caller, args.params["slug"]);
}

const HOUR_MS = 3_600_000;
const RESTORABLE = { "0": 0, "1h": HOUR_MS, "1d": 24 * HOUR_MS, "7d": 168 * HOUR_MS } as const;

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
        restorableMs: restorableMs(form.text("restorable")),
        test: form.flag("test"),
      });
      if (!rotated.ok) return refuse(rotated.failure);
      return done(
        rotated.value.enforcement,
        "The new vendor key is in use everywhere. No RelayKey had to change.",
      );
    }
    case "roll_back": {
      const back = await rollBackVendorKey(deps, caller, slug, RESTORABLE["1d"]);
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

function restorableMs(text: string): number {
  return Object.hasOwn(RESTORABLE, text) ? RESTORABLE[text as keyof typeof RESTORABLE] : 0;
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
      <Dialog page={page} which={query.get("confirm")} failure={answer?.failure} />
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
        <VendorKey page={page} />
      </Card>
      <Card title="Address" note="What callers put in place of the vendor's own address.">
        <Code text={page.address} label="the address" />
      </Card>
      <Settings page={page} />
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

const LIST = "grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-3 text-sm [&_dt]:text-muted";

function VendorKey({ page: { secret: key, healthAt, canRotate } }: { readonly page: IntegrationPage }) {
  return (
    <dl className={LIST}>
      <dt>Version</dt>
      <dd>
        {key.version}
        {key.since !== null && (
          <span className="text-muted">
            , since <Moment iso={key.since} /> UTC
          </span>
        )}
      </dd>
      <dt>Last tested</dt>
      <dd>{healthAt === null ? "never" : <Ago iso={healthAt} />}</dd>
      {key.restorable !== null && (
        <>
          <dt>Before it</dt>
          <dd className="flex flex-wrap items-center gap-3">
            <span>
              version {key.restorable.version}, kept until <Moment iso={key.restorable.until} /> UTC
            </span>
            {canRotate && (
              <LinkButton size="sm" to="?confirm=roll_back" preventScrollReset>
                Roll back
              </LinkButton>
            )}
          </dd>
        </>
      )}
    </dl>
  );
}

function Settings({ page }: { readonly page: IntegrationPage }) {
  return (
    <Card title="Settings">
      <dl className={LIST}>
        <dt>Upstream</dt>
        <dd className="font-mono text-xs leading-5 break-all">{page.upstream}</dd>
        <dt>Its key goes to</dt>
        <dd>{page.credential}</dd>
        <dt>Request headers</dt>
        <dd className="font-mono text-xs leading-5 break-words">
          {page.requestHeaders.length === 0
            ? "the safe list"
            : `the safe list, ${page.requestHeaders.join(", ")}`}
        </dd>
        <dt>Refusals</dt>
        <dd>{page.dialect}</dd>
        <dt>Time-out</dt>
        <dd>{page.timeoutSeconds} s</dd>
        <dt>Vendor key in answers</dt>
        <dd>
          {page.scrubResponses ? "blotted out" : <strong className="text-waiting">not looked for</strong>}
        </dd>
        <dt>Query strings</dt>
        <dd>
          {page.logQuery ? (
            <strong className="text-waiting">recorded in the audit log</strong>
          ) : (
            "not recorded"
          )}
        </dd>
        <dt>Vendor's cookies</dt>
        <dd>
          {page.responseCookies ? <strong className="text-waiting">handed to callers</strong> : "kept back"}
        </dd>
        <dt>Encoded slashes</dt>
        <dd>{page.allowEncodedSlash ? <strong className="text-bad">admitted</strong> : "refused"}</dd>
      </dl>
    </Card>
  );
}

function Dialog(props: {
  readonly page: IntegrationPage;
  readonly which: string | null;
  readonly failure: ShownFailure | undefined;
}) {
  const { page, which } = props;
  const same = { closeTo: `/integrations/${page.slug}`, failure: props.failure };
  if (!page.canChange) return null;
  const keys =
    page.live === 1
      ? "1 live key uses it"
      : `${String(page.live)}${page.hasMoreKeys ? " or more" : ""} live keys use it`;
  switch (which) {
    case "disable":
      return (
        <ConfirmDialog
          {...same}
          title={`Disable ${page.name}?`}
          confirm="Disable"
          pending="Disabling …"
          intent="disable"
        >
          <p>
            Every request to it is refused from then on, whatever its key allows, and open streams are cut
            within two seconds. {keys}.
          </p>
          <p>Keys, their scopes and the vendor key stay as they are; enabling it again undoes this.</p>
        </ConfirmDialog>
      );
    case "enable":
      return (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`Enable ${page.name}?`}
          confirm="Enable"
          pending="Enabling …"
          intent="enable"
        >
          <p>Its keys work again, as their policies say. {keys}.</p>
        </ConfirmDialog>
      );
    case "rotate":
      return !page.canRotate ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`A new vendor key for ${page.name}`}
          confirm="Rotate"
          pending="Rotating …"
          intent="rotate"
        >
          <p>
            RelayKeys stay as they are. Requests use the new key as soon as this is done; those under way end
            under the former one.
          </p>
          <VendorKeyField failure={props.failure} label="New vendor key" />
          {page.hasProbe && (
            <Checkbox
              name="test"
              label="Test it first, and change nothing if the vendor refuses it"
              defaultChecked
            />
          )}
          <SelectField
            name="restorable"
            label="Keep the former key, sealed, for"
            defaultValue="1d"
            choices={[
              { value: "0", label: "no time: destroy it at once" },
              { value: "1h", label: "1 hour" },
              { value: "1d", label: "1 day" },
              { value: "7d", label: "7 days" },
            ]}
            hint="For as long, one click rolls back. Revoke the former key at the vendor when all is well."
          />
        </ConfirmDialog>
      );
    case "roll_back":
      return !page.canRotate || page.secret.restorable === null ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title="Use the former vendor key again?"
          confirm="Roll back"
          pending="Rolling back …"
          intent="roll_back"
        >
          <p>
            Version {page.secret.restorable.version} takes the place of version {page.secret.version}, which
            is kept for a day. Nothing else changes.
          </p>
        </ConfirmDialog>
      );
    case "delete":
      return page.keys.length > 0 ? null : (
        <ConfirmDialog
          {...same}
          title={`Delete ${page.name}?`}
          confirm="Delete"
          pending="Deleting …"
          intent="delete"
        >
          <p>The integration and its sealed vendor key are gone for good.</p>
        </ConfirmDialog>
      );
    case null:
    default:
      return null;
  }
}
