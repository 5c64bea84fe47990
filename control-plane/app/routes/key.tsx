import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, Link, useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { freezeKey, rerollKey, unfreezeKey } from "../../service/key-lifecycle.ts";
import { showIntegration } from "../../service/integrations.ts";
import { revokeKey } from "../../service/keys.ts";
import { continueEnforcement } from "../../service/organizations.ts";
import { revealKey } from "../.server/create-key.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { keyOf, readKeyPage } from "../.server/key-page.ts";
import type { KeyPage } from "../.server/key-page.ts";
import { once, sentBefore } from "../.server/once.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { LinkButton, SubmitButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import type { ShownFailure } from "../components/failure.ts";
import { SelectField } from "../components/field.tsx";
import { FormFailure } from "../components/form.tsx";
import { Events } from "../components/keys/events.tsx";
import { KeyStateBadges } from "../components/keys/key-state.tsx";
import { PolicyWords } from "../components/keys/policy-words.tsx";
import { Receipts } from "../components/keys/receipts.tsx";
import { KeyMadeAlready, Reveal } from "../components/keys/reveal.tsx";
import type { Revealed } from "../components/keys/reveal.tsx";
import { RuleList } from "../components/keys/rule-list.tsx";
import { Ago, Moment } from "../components/moment.tsx";
import { Notice } from "../components/notice.tsx";
import { FormNonce } from "../components/once.tsx";
import type { SentBefore } from "../components/once.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { useRepeatedLook } from "../components/repeated-look.ts";
import { Sparkline } from "../components/sparkline.tsx";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.key.name ?? "Key"} · Keys · RelayKey` },
];

export async function loader(args: LoaderFunctionArgs): Promise<KeyPage> {
  const { deps, caller } = await enter(args, "key.read");
  return readKeyPage(deps, caller, args.params["key"]);
}

const OVERLAPS = { "0": 0, "1h": 3_600_000, "1d": 86_400_000, "7d": 604_800_000 } as const;

interface Made {
  readonly failure: undefined;
  readonly revealed: Revealed;
}

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal | Made | SentBefore> {
  const form = await readForm(args.request);
  const intent = form.text("intent");
  const { deps, caller } = await enter(args, intent === "revoke" ? "key.revoke" : "key.change");
  const { id, name, integration } = await keyOf(deps, caller, args.params["key"]);
  const here = `/keys/${id}`;
  switch (intent) {
    case "revoke": {
      const done = await revokeKey(deps, caller, id);
      if (!done.ok) return refuse(done.failure);
      return done.value.enforcement.state === "enforced"
        ? redirectWith(deps, `${here}#receipts`, {
            tone: "good",
            text: `“${name}” is revoked: no request starts under it any more. The receipt is below.`,
          })
        : redirectWith(deps, here, {
            tone: "waiting",
            text: `The revocation of “${name}” is stored, and not confirmed by the proxy yet.`,
          });
    }
    case "freeze":
    case "unfreeze": {
      const done = await (intent === "freeze" ? freezeKey : unfreezeKey)(deps, caller, id);
      if (!done.ok) return refuse(done.failure);
      const word = intent === "freeze" ? "frozen" : "working again";
      return done.value.enforcement.state === "enforced"
        ? redirectWith(deps, here, { tone: "good", text: `“${name}” is ${word}.` })
        : redirectWith(deps, here, { tone: "waiting", text: "Stored, and not confirmed by the proxy yet." });
    }
    case "reroll": {
      const overlap = form.text("overlap") as keyof typeof OVERLAPS;
      const overlapMs = Object.hasOwn(OVERLAPS, overlap) ? OVERLAPS[overlap] : 0;
      const done = await once(
        { deps, caller },
        form,
        "key.change",
        () => rerollKey(deps, caller, id, { overlapMs }),
        ({ key }) => key.id,
      );
      if (!done.ok) return refuse(done.failure);
      if (!done.value.isFirst) return sentBefore(done.value.madeId);
      const shown = unwrap(await showIntegration(deps, caller, integration.id));
      const { value: rerolled } = done.value;
      const { former } = rerolled;
      const words =
        former.key.state === "revoked"
          ? "It is revoked."
          : `It goes on until ${former.key.expiresAt?.toISOString().slice(0, 16).replace("T", " ") ?? ""} UTC, so that its holder can change over.`;
      const pending = former.enforcement.state === "pending" ? " The proxy has not confirmed that yet." : "";
      return {
        failure: undefined,
        revealed: revealKey(deps, rerolled, rerolled.token, shown, words + pending),
      };
    }
    default: {
      await continueEnforcement(deps, caller);
      return redirectWith(deps, here, {
        tone: "good",
        text: "Tried again. What is still pending says so below.",
      });
    }
  }
}

export default function Key() {
  const page = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [query] = useSearchParams();
  useRepeatedLook(page.key.isPending);
  if (answer !== undefined && "revealed" in answer) return <Reveal revealed={answer.revealed} />;
  if (answer !== undefined && "sentBefore" in answer) return <KeyMadeAlready {...answer.sentBefore} />;
  const { key } = page;
  const isOver = key.state === "revoked";
  return (
    <>
      <PageHeader
        title={key.name}
        back={{ to: "/keys", label: "Keys" }}
        note={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <code className="font-mono">{key.display}</code>
            <KeyStateBadges state={key.state} isPending={key.isPending} />
          </span>
        }
        {...(page.canChange && !isOver ? { actions: <Actions page={page} /> } : {})}
      />
      <Dialog page={page} which={query.get("confirm")} failure={answer?.failure} />
      <div className="flex flex-col gap-4">
        <FormFailure failure={answer?.failure} />
        <Notices page={page} />
      </div>
      <div className="mt-6 grid items-start gap-x-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <Card
            title="What it can do"
            {...(page.canChange && !isOver
              ? {
                  actions: (
                    <>
                      <LinkButton size="sm" to={`/keys/${key.id}/tighten`}>
                        Tighten
                      </LinkButton>
                      <LinkButton size="sm" to={`/keys/${key.id}/edit`}>
                        Edit
                      </LinkButton>
                    </>
                  ),
                }
              : {})}
          >
            <div className="flex flex-col gap-4">
              <PolicyWords sentences={page.sentences} />
              <RuleList rules={page.rules} />
              {page.bindings.length > 0 && (
                <p className="font-mono text-xs text-muted">
                  {page.bindings.map(({ name, value }) => `{${name}} = ${value}`).join(" · ")}
                </p>
              )}
            </div>
          </Card>
          <Card
            title="Latest requests"
            padded={false}
            actions={
              <LinkButton size="sm" to={`/audit?key=${key.id}`}>
                All in the audit log
              </LinkButton>
            }
            empty={
              page.events.length === 0
                ? "None yet. A request shows here within seconds, allowed or not."
                : undefined
            }
          >
            <Events events={page.events} />
          </Card>
          <div id="receipts" className="mt-8">
            <Card
              title="Receipts"
              note="Since when each change holds: from that moment on no request started under what was before."
              padded={false}
              empty={
                page.receipts.length === 0 && !key.isPending
                  ? "None yet: the proxy has not confirmed this key."
                  : undefined
              }
            >
              <Receipts receipts={page.receipts} pendingVersion={key.isPending ? page.policyVersion : null} />
            </Card>
          </div>
        </div>
        <div className="mt-8 lg:mt-0">
          <Facts page={page} />
        </div>
      </div>
    </>
  );
}

function Actions({ page: { key, canRevoke } }: { readonly page: KeyPage }) {
  const link = (name: string) => ({ to: `?confirm=${name}`, preventScrollReset: true });
  return (
    <>
      {key.state === "frozen" ? (
        <LinkButton {...link("unfreeze")}>Unfreeze</LinkButton>
      ) : (
        <LinkButton {...link("freeze")}>Freeze</LinkButton>
      )}
      <LinkButton {...link("reroll")}>Reroll</LinkButton>
      {canRevoke && (
        <LinkButton {...link("revoke")} variant="danger">
          Revoke
        </LinkButton>
      )}
    </>
  );
}

function Notices({ page }: { readonly page: KeyPage }) {
  const { key, frozen, holder, revokedAt } = page;
  return (
    <>
      {key.isPending && (
        <Notice
          tone="waiting"
          title="Pending, not enforced yet"
          aside={
            page.canChange && (
              <Form method="post">
                <SubmitButton name="intent" value="retry" size="sm" variant="secondary" pending="Trying …">
                  Try again now
                </SubmitButton>
              </Form>
            )
          }
        >
          The latest change (version {page.policyVersion}) is stored, and not in force: the proxy has not
          confirmed it
          {page.proxy.version === null ? "" : `, version ${String(page.proxy.version)} holds there`}. It is
          tried again each minute, and this page notices.
        </Notice>
      )}
      {revokedAt !== null && (
        <Notice tone="info" title="Revoked">
          Since <Moment iso={revokedAt} /> UTC, for good. Make a new key where one is needed.
        </Notice>
      )}
      {frozen !== null && (
        <Notice tone="bad" title={frozen.by === "holder" ? "Frozen by its holder" : "Frozen"}>
          {frozen.by === "holder"
            ? "Its holder said that a request from a new network was not theirs. Look at the requests below before you unfreeze it; a new key is often the better answer."
            : "Every request is refused until an admin unfreezes it."}
        </Notice>
      )}
      {holder.isFrozen && (
        <Notice tone="bad" title="Its holder is frozen">
          Every key of {key.holder.name} is refused.{" "}
          <Link className="underline" to={`/holders/${key.holder.id}`}>
            Open the holder
          </Link>
        </Notice>
      )}
      {!page.canChange && (
        <Notice tone="info">You can look at this key. To change it, ask an admin of the organization.</Notice>
      )}
    </>
  );
}

function Facts({ page }: { readonly page: KeyPage }) {
  const { key, proxy } = page;
  const requests = key.week.reduce((sum, day) => sum + day, 0);
  return (
    <Card title="At a glance">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-3 text-sm [&_dt]:text-muted">
        <dt>Holder</dt>
        <dd>
          <Link className="hover:underline" to={`/holders/${key.holder.id}`}>
            {key.holder.name}
          </Link>
          <span className="block text-xs text-muted">{page.holder.kind}</span>
        </dd>
        <dt>Integration</dt>
        <dd>
          <Link className="hover:underline" to={`/integrations/${key.integration}`}>
            {key.integration}
          </Link>
        </dd>
        <dt>Last 7 days</dt>
        <dd>
          <Sparkline values={key.week} label={`${String(requests)} requests: ${key.week.join(", ")}`} />
          <span className="block text-xs text-muted">
            {requests} {requests === 1 ? "request" : "requests"}
          </span>
        </dd>
        <dt>Last use</dt>
        <dd>{key.lastUsedAt === null ? "never" : <Ago iso={key.lastUsedAt} />}</dd>
        <dt>Expires</dt>
        <dd>{key.expiresAt === null ? "never" : <Moment iso={key.expiresAt} />}</dd>
        <dt>Made</dt>
        <dd>
          <Moment iso={page.createdAt} />
        </dd>
        {page.replacesId !== null && (
          <>
            <dt>Replaces</dt>
            <dd>
              <Link className="hover:underline" to={`/keys/${page.replacesId}`}>
                the key before it
              </Link>
            </dd>
          </>
        )}
        {page.ipMode === "confirm" && (
          <>
            <dt>Networks</dt>
            <dd>
              <Link className="hover:underline" to={`/holders/${key.holder.id}#networks`}>
                confirmed by its holder
              </Link>
            </dd>
          </>
        )}
        <dt>Policy</dt>
        <dd>
          version {page.policyVersion}
          {page.receipts[0]?.version === page.policyVersion && (
            <span className="block text-xs text-muted">
              in force since <Moment iso={page.receipts[0].enforcedAt} /> UTC
            </span>
          )}
          <span className="block text-xs text-muted">
            {!proxy.isReached
              ? "the proxy cannot be asked just now"
              : proxy.version === null
                ? "the proxy has not heard of it"
                : `the proxy holds version ${String(proxy.version)}`}
          </span>
        </dd>
      </dl>
    </Card>
  );
}

function Dialog(props: {
  readonly page: KeyPage;
  readonly which: string | null;
  readonly failure: ShownFailure | undefined;
}) {
  const { key, canChange, canRevoke } = props.page;
  const same = { closeTo: `/keys/${key.id}`, failure: props.failure };
  if (key.state === "revoked") return null;
  switch (props.which) {
    case "revoke":
      return !canRevoke ? null : (
        <ConfirmDialog
          {...same}
          title={`Revoke “${key.name}”?`}
          confirm="Revoke the key"
          pending="Revoking …"
          intent="revoke"
        >
          <p>
            From the moment this is done no request starts under the key, anywhere, and streams that are open
            are cut within two seconds.
          </p>
          <p>It cannot be undone. {lastUse(key)}</p>
        </ConfirmDialog>
      );
    case "freeze":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          title={`Freeze “${key.name}”?`}
          confirm="Freeze the key"
          pending="Freezing …"
          intent="freeze"
        >
          <p>
            Every request is refused, and open streams are cut, until an admin unfreezes it. {lastUse(key)}
          </p>
        </ConfirmDialog>
      );
    case "unfreeze":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`Unfreeze “${key.name}”?`}
          confirm="Let it work again"
          pending="Unfreezing …"
          intent="unfreeze"
        >
          <p>Whoever has the key can use it again, as its policy says.</p>
        </ConfirmDialog>
      );
    case "reroll":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`A new key in place of “${key.name}”?`}
          confirm="Make the new key"
          pending="Making it …"
          intent="reroll"
        >
          <p>It can do the same, has the same holder and limits, and is shown once.</p>
          <FormNonce nonce={props.page.nonce} />
          <SelectField
            name="overlap"
            label="The former key goes on for"
            defaultValue="1d"
            choices={[
              { value: "0", label: "no time: it is revoked at once" },
              { value: "1h", label: "1 hour" },
              { value: "1d", label: "1 day" },
              { value: "7d", label: "7 days" },
            ]}
            hint="So that its holder can change over without a gap. After a leak: no time."
          />
        </ConfirmDialog>
      );
    case null:
    default:
      return null;
  }
}

function lastUse(key: KeyPage["key"]): string {
  const requests = key.week.reduce((sum, day) => sum + day, 0);
  if (requests === 0) return "It was not used in the last 7 days.";
  return `It made ${requests === 1 ? "one request" : `${String(requests)} requests`} in the last 7 days: what uses it will fail.`;
}
