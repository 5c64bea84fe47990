import type { FC, PropsWithChildren } from "hono/jsx";
import type { PendingNetwork, ReviewView, ReviewedKey, TrustedNetwork } from "@relaykey/core/rpc";
import { factsOfPending, factsOfTrusted, keyTitle } from "../show/facts.ts";
import { oneLine } from "@relaykey/core/one-line";
import { FactList } from "./facts.tsx";
import { Layout } from "./layout.tsx";

/** Where a holder's keys work, and what the holder can take back. Each button leads to a question and changes nothing itself. */
export const ReviewPage: FC<{ view: ReviewView; code: string; nonce: string }> = ({ view, code, nonce }) => {
  const { trusted, preapproved, pending, keys } = view;
  const pick = (what: "stop" | "freeze", id: string): string =>
    `/n/${code}?${new URLSearchParams({ [what]: id }).toString()}`;
  return (
    <Layout title="Where your keys work" nonce={nonce}>
      <h1>Where your keys work</h1>
      <p>
        {oneLine(view.holderName, 80)}, these are the networks that your keys of{" "}
        <strong>{oneLine(view.organizationName, 80)}</strong> may be used from. Take back what you do not
        recognise.
      </p>
      <Section title="Trusted networks" empty="None yet: the next network is asked about, or is the first.">
        {trusted.map((network) => (
          <TrustedCard network={network} href={pick("stop", network.network)} />
        ))}
      </Section>
      {preapproved.length === 0 ? null : (
        <Section title="Trusted by your organization">
          <li class="card">
            <p>Your keys work from these networks without your word.</p>
            <ul class="plain mono">
              {preapproved.map((block) => (
                <li>{block}</li>
              ))}
            </ul>
          </li>
        </Section>
      )}
      {pending.length === 0 ? null : (
        <Section title="Waiting for your answer">
          {pending.map((entry) => (
            <PendingCard entry={entry} />
          ))}
        </Section>
      )}
      <Section title="Your keys" empty="You have no key that works.">
        {keys.map((key) => (
          <KeyCard reviewed={key} href={pick("freeze", key.keyId)} />
        ))}
      </Section>
    </Layout>
  );
};

const Section: FC<PropsWithChildren<{ title: string; empty?: string }>> = ({ title, empty, children }) => (
  <section>
    <h2>{title}</h2>
    {Array.isArray(children) && children.flat().length === 0 ? (
      <p class="soft">{empty}</p>
    ) : (
      <ul class="cards">{children}</ul>
    )}
  </section>
);

const TrustedCard: FC<{ network: TrustedNetwork; href: string }> = ({ network, href }) => (
  <li class="card">
    <h3 class="mono">{oneLine(network.network, 60)}</h3>
    <FactList facts={factsOfTrusted(network)} />
    {network.source === "approved" ? (
      <p class="soft">Approved by an admin: ask them to take it back.</p>
    ) : (
      <a class="button plain" href={href} aria-label={`Stop trusting ${oneLine(network.network, 60)}`}>
        Stop trusting
      </a>
    )}
  </li>
);

const PendingCard: FC<{ entry: PendingNetwork }> = ({ entry }) => (
  <li class="card">
    <h3 class="mono">{oneLine(entry.network, 60)}</h3>
    <FactList facts={factsOfPending(entry)} />
    <p class="soft">
      {entry.mailed
        ? "Calls from there are stopped. Answer with the mail about it."
        : "Calls from there are stopped. No mail about it was sent yet: send the call again in a few minutes."}
    </p>
  </li>
);

function titleOf({ name, display }: ReviewedKey): string {
  return keyTitle({ keyName: name, keyDisplay: display });
}

const ADDRESSES = {
  confirm: "It works from the networks above.",
  allowlist: "It works from addresses that your admins have set.",
  any: "It works from everywhere, not only from the networks above.",
} as const;

const KeyCard: FC<{ reviewed: ReviewedKey; href: string }> = ({ reviewed, href }) => (
  <li class="card">
    <h3>{titleOf(reviewed)}</h3>
    <p class="soft">
      <span class="mono">{oneLine(reviewed.display, 40)}</span> for {oneLine(reviewed.integration, 60)}
    </p>
    {reviewed.isFrozen ? (
      <p class="soft">It is frozen and works nowhere. Ask your admins for a new one.</p>
    ) : (
      <>
        <p class="soft">{ADDRESSES[reviewed.addresses]}</p>
        <a
          class="button plain"
          href={href}
          aria-label={`This key is not safe: freeze it (${titleOf(reviewed)})`}
        >
          This key is not safe: freeze it
        </a>
      </>
    )}
  </li>
);
