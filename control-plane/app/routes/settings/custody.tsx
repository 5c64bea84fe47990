import { CUSTODY_PROBLEMS } from "@relaykey/core/custody/problems";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useActionData, useLoaderData, useSearchParams } from "@remix-run/react";
import { redirectWith } from "../../.server/flash.ts";
import type { Redirect } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import { changeCustody, goOnRewrapping, providerOf, showCustody } from "../../../service/custody.ts";
import type { Custody } from "../../../service/custody.ts";
import { Card } from "../../components/card.tsx";
import { Facts } from "../../components/facts.tsx";
import { Moment } from "../../components/moment.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { CustomerKeyForm, RemoveCustomerKey } from "../../components/settings/customer-key.tsx";
import { RewrapNotice, SealedKeys } from "../../components/settings/sealed-keys.tsx";
import type { SealedKey } from "../../components/settings/sealed-keys.tsx";

export const meta: MetaFunction = () => [{ title: "Custody · RelayKey" }];

interface Shown {
  readonly provider: "local" | "aws-kms";
  readonly customerKey: { readonly arn: string; readonly keyId: string; readonly verifiedAt: string } | null;
  readonly fingerprint: string;
  readonly progress: Custody["progress"];
  readonly keys: readonly SealedKey[];
  readonly mayChange: boolean;
}

export async function loader(args: LoaderFunctionArgs): Promise<Shown> {
  const { deps, caller } = await enter(args, "custody.read");
  const { customerKey, fingerprint, progress, integrations } = unwrap(await showCustody(deps, caller));
  return {
    provider: providerOf(customerKey),
    // The public key stays here: nobody needs it from a page.
    customerKey:
      customerKey === null
        ? null
        : {
            arn: customerKey.arn,
            keyId: customerKey.keyId,
            verifiedAt: customerKey.verifiedAt.toISOString(),
          },
    fingerprint: fingerprint.match(/.{4}/g)?.join(" ") ?? "",
    progress,
    keys: integrations.map(
      ({ slug, name, version, versions, provider, keyId, sealedAt, state, problem }) => ({
        slug,
        name,
        version,
        versions,
        provider,
        keyId,
        sealedAt: sealedAt?.toISOString() ?? null,
        state,
        problem: problem === null ? null : CUSTODY_PROBLEMS[problem],
      }),
    ),
    mayChange: caller.role === "admin",
  };
}

const HERE = "/settings/custody";

export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const form = await readForm(args.request);
  const intent = form.text("intent");
  const { deps, caller } = await enter(args, intent === "continue" ? "custody.rewrap" : "custody.change");
  const changed =
    intent === "continue"
      ? await goOnRewrapping(deps, caller)
      : await changeCustody(
          deps,
          caller,
          intent === "remove" ? null : { arn: form.text("arn").trim(), publicKey: form.text("public_key") },
        );
  if (!changed.ok) return refuse(changed.failure);
  const { total, current } = changed.value.progress;
  return redirectWith(deps, HERE, {
    tone: current === total ? "good" : "waiting",
    text: `${String(current)} of ${String(total)} vendor keys are sealed for the keys that are set.`,
  });
}

export default function CustodyPage() {
  const { provider, customerKey, fingerprint, progress, keys, mayChange } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  const [search] = useSearchParams();
  return (
    <>
      <PageHeader
        back={{ to: "/settings", label: "Settings" }}
        title="Custody"
        note="This dashboard can seal a vendor key and never open one: the opening half of the pair exists only in the proxy."
      />
      <RewrapNotice progress={progress} mayChange={mayChange} action={HERE} />
      {customerKey !== null && search.get("confirm") === "remove" && (
        <RemoveCustomerKey closeTo={HERE} failure={failure} />
      )}
      <Card title="What vendor keys are sealed for">
        <Facts
          facts={[
            [
              "Provider",
              provider === "local"
                ? "local: derived from the proxy's master key"
                : "aws-kms: your key, and the proxy's own around the same data key; it takes both to open one",
            ],
            ...(customerKey === null
              ? []
              : ([
                  [
                    "Your key",
                    <code key="arn" className="font-mono text-xs break-all">
                      {customerKey.arn}
                    </code>,
                  ],
                  [
                    "Its id in envelopes",
                    <code key="key-id" className="font-mono text-xs">
                      {customerKey.keyId}
                    </code>,
                  ],
                  ["Proven (UTC)", <Moment key="proven" iso={customerKey.verifiedAt} />],
                ] as const)),
            [
              "The proxy's key id",
              <code key="id" className="font-mono text-xs">
                {fingerprint.replaceAll(" ", "").slice(0, 16)}
              </code>,
            ],
            [
              "Sealed with",
              "AES-256-GCM under a fresh data key per version; the data key wrapped with HPKE (X25519), and with RSA-OAEP for a key of yours",
            ],
            [
              "Sealing key",
              <span key="fingerprint">
                <span className="block text-muted">SHA-256 of its public half</span>
                <code className="font-mono text-xs leading-6">{fingerprint}</code>
              </span>,
            ],
          ]}
        />
      </Card>
      <SealedKeys keys={keys} />
      {mayChange && (
        <CustomerKeyForm
          key={customerKey?.keyId}
          isSet={customerKey !== null}
          removeAt={`${HERE}?confirm=remove`}
          failure={search.get("confirm") === "remove" ? undefined : failure}
        />
      )}
    </>
  );
}
