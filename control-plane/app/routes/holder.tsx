import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { deleteHolder, freezeHolder, showHolder } from "../../service/holders.ts";
import { approveNetwork, dismissPending, removeNetwork } from "../../service/networks.ts";
import { redirectWith } from "../.server/flash.ts";
import type { Redirect } from "../.server/flash.ts";
import { readForm } from "../.server/form.ts";
import { readHolderPage } from "../.server/holder-page.ts";
import type { HolderPage } from "../.server/holder-page.ts";
import { enter, refuse, unwrap } from "../.server/page.ts";
import type { Refusal } from "../.server/page.ts";
import { Badge } from "../components/badge.tsx";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import type { ShownFailure } from "../components/failure.ts";
import { FormFailure } from "../components/form.tsx";
import { Networks } from "../components/holders/networks.tsx";
import { KeyTable } from "../components/keys/key-table.tsx";
import { Notice, PendingNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.name ?? "Holder"} · Holders · RelayKey` },
];

export async function loader(args: LoaderFunctionArgs): Promise<HolderPage> {
  const { deps, caller } = await enter(args, "holder.read");
  return readHolderPage(deps, caller, args.params["holder"]);
}

const NETWORK_INTENTS = { approve: approveNetwork, remove: removeNetwork, dismiss: dismissPending } as const;

const NETWORK_DONE = {
  approve: "The network is trusted.",
  remove: "The network is not trusted any more: no request starts from it.",
  dismiss: "The entry is gone. The network is not trusted, and the links in its mail are dead.",
} as const;

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const form = await readForm(args.request);
  const intent = form.text("intent");
  const isNetwork = Object.hasOwn(NETWORK_INTENTS, intent);
  const { deps, caller } = await enter(args, isNetwork ? "network.change" : "holder.change");
  const { id, name } = unwrap(await showHolder(deps, caller, args.params["holder"] ?? ""));
  const here = `/holders/${id}`;
  if (isNetwork) {
    const which = intent as keyof typeof NETWORK_INTENTS;
    const done = await NETWORK_INTENTS[which](deps, caller, id, form.text("network"));
    return done.ok
      ? redirectWith(deps, `${here}#networks`, { tone: "good", text: NETWORK_DONE[which] })
      : refuse(done.failure, form.echo());
  }
  if (intent === "delete") {
    const gone = await deleteHolder(deps, caller, id);
    return gone.ok
      ? redirectWith(deps, "/holders", { tone: "good", text: `${name} is deleted.` })
      : refuse(gone.failure);
  }
  const done = await freezeHolder(deps, caller, id, intent === "freeze");
  if (!done.ok) return refuse(done.failure);
  const { state, keys, pending } = done.value.enforcement;
  return redirectWith(deps, here, {
    tone: state === "enforced" ? "good" : "waiting",
    text:
      state === "enforced"
        ? `${name} is ${intent === "freeze" ? "frozen: no request starts under any of its keys" : "active again"}.`
        : `Stored. ${String(pending)} of ${String(keys)} keys wait for the proxy to confirm it.`,
  });
}

export default function Holder() {
  const page = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [query] = useSearchParams();
  const link = (name: string) => ({ to: `?confirm=${name}`, preventScrollReset: true });
  const isPerson = page.kind === "person";
  return (
    <>
      <PageHeader
        title={page.name}
        back={{ to: "/holders", label: "Holders" }}
        note={
          <span className="flex flex-wrap items-center gap-2">
            <span>
              {page.kind}
              {page.email !== null && ` · ${page.email}`}
            </span>
            {page.isFrozen ? <Badge tone="waiting">frozen</Badge> : <Badge tone="good">active</Badge>}
          </span>
        }
        {...(page.canChange
          ? {
              actions: (
                <>
                  {page.isFrozen ? (
                    <LinkButton {...link("unfreeze")}>Unfreeze</LinkButton>
                  ) : (
                    <LinkButton {...link("freeze")}>Freeze</LinkButton>
                  )}
                  <LinkButton to={`/holders/${page.id}/edit`}>Edit</LinkButton>
                  {page.canCreateKey && (
                    <LinkButton to={`/keys/new?holder=${page.id}`} variant="primary">
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
        {page.isFrozen && (
          <Notice tone="waiting" title="Frozen">
            Every request under any of its keys is refused until an admin unfreezes it.
          </Notice>
        )}
        {page.mail.state !== "ok" && (
          <Notice
            tone="bad"
            title={page.mail.state === "bounced" ? "Mail to it bounces" : "It called our mail spam"}
          >
            No mail is sent to {page.email ?? "it"} any more, so it cannot confirm a new network. Correct the
            address, or approve its networks here.
          </Notice>
        )}
        {!page.canChange && (
          <Notice tone="info">
            You can look at this holder. To change it, ask an admin of the organization.
          </Notice>
        )}
      </div>
      <Card
        title="Keys"
        padded={false}
        empty={page.keys.length === 0 ? "It holds no key yet. A new key names its holder." : undefined}
        {...(page.hasMoreKeys
          ? {
              actions: (
                <LinkButton size="sm" to={`/keys?holder=${page.id}`}>
                  All keys
                </LinkButton>
              ),
            }
          : {})}
      >
        <KeyTable caption="Keys" keys={page.keys} of="holder" />
      </Card>
      <div id="networks" className="mt-8">
        <Networks page={page} failure={answer?.failure} values={answer?.values ?? {}} isPerson={isPerson} />
      </div>
      <Card title="Limits and confirmation">
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-3 text-sm [&_dt]:text-muted">
          <dt>Over all of its keys</dt>
          <dd>{page.limits.length === 0 ? "not limited" : page.limits.join(", ")}</dd>
          <dt>The first network</dt>
          <dd>
            {page.confirmation.trustOnFirstUse ? "is trusted as it is used" : "has to be confirmed, too"}
          </dd>
          <dt>To confirm</dt>
          <dd>
            {page.confirmation.numberMatching
              ? "the number of the refused call is typed"
              : "one button is enough"}
          </dd>
          <dt>Unused networks</dt>
          <dd>
            {page.confirmation.trustDays === null
              ? "stay trusted"
              : `are forgotten after ${String(page.confirmation.trustDays)} days`}
          </dd>
          <dt>Set by</dt>
          <dd>{page.confirmation.isOwn ? "this holder's own settings" : "the organization"}</dd>
        </dl>
      </Card>
      {page.canChange && page.keys.length === 0 && (
        <Card title="Delete" tone="danger">
          <div className="flex flex-wrap items-center justify-between gap-4 text-sm">
            <p>It was never given a key, so nothing depends on it.</p>
            <LinkButton {...link("delete")}>Delete …</LinkButton>
          </div>
        </Card>
      )}
    </>
  );
}

function Dialog(props: {
  readonly page: HolderPage;
  readonly which: string | null;
  readonly failure: ShownFailure | undefined;
}) {
  const { page, which } = props;
  const same = { closeTo: `/holders/${page.id}`, failure: props.failure };
  if (!page.canChange) return null;
  const keys = page.live === 1 ? "its live key" : `all ${String(page.live)} of its live keys`;
  switch (which) {
    case "freeze":
      return (
        <ConfirmDialog
          {...same}
          title={`Freeze ${page.name}?`}
          confirm="Freeze"
          pending="Freezing …"
          intent="freeze"
        >
          <p>
            From the moment this is done every request under {keys} is refused, anywhere, and open streams are
            cut within two seconds. Unfreezing it undoes this.
          </p>
        </ConfirmDialog>
      );
    case "unfreeze":
      return (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`Unfreeze ${page.name}?`}
          confirm="Unfreeze"
          pending="Unfreezing …"
          intent="unfreeze"
        >
          <p>Its keys work again, as their policies say; keys that are frozen by themselves stay so.</p>
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
          <p>It was never given a key. It is gone for good.</p>
        </ConfirmDialog>
      );
    case null:
    default:
      return null;
  }
}
