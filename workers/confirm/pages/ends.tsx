import type { Child, FC } from "hono/jsx";
import type { ConfirmationEnd, RemovalState } from "@relaykey/core/rpc";
import { oneLine } from "@relaykey/core/one-line";
import { StepForm } from "./form.tsx";
import { Layout } from "./layout.tsx";

/** Where a visit ends. */
export type End =
  | ConfirmationEnd
  | Exclude<RemovalState, "ended">
  | "confirmed_now"
  | "frozen_now"
  /** A key that is enforced at the edge, where a change takes its time. */
  | "frozen_soon"
  | "unsure"
  /** What could have been stopped or frozen was not. */
  | "kept"
  | "review_ended"
  /** For a link to the own networks. */
  | "asked"
  | "sent"
  | "throttled"
  /** Sent by a program, or from another site. */
  | "refused"
  /** The data plane does not answer. */
  | "unavailable";

interface EndText {
  readonly status: 200 | 403 | 404 | 410 | 429 | 503;
  readonly tone: "good" | "bad" | "calm";
  readonly title: string;
  readonly text: (facts: EndFacts) => readonly Child[];
}

/** What is known of where a visit ends. The words are foreign. */
export interface EndFacts {
  readonly key?: string;
  readonly address?: string;
  readonly withinSeconds?: number;
}

const Key: FC<EndFacts> = ({ key }) => (key === undefined ? <>The key</> : <strong>“{key}”</strong>);
const Address: FC<EndFacts> = ({ address }) =>
  address === undefined ? <>this address</> : <span class="mono">{oneLine(address, 80)}</span>;

const SEND_AGAIN = "Send your request again: if the address is still new, a new mail comes.";

const ENDS: Readonly<Record<End, EndText>> = {
  confirmed_now: {
    status: 200,
    tone: "good",
    title: "Confirmed",
    text: (facts) => [
      <>
        <Key {...facts} /> works from <Address {...facts} /> from now on.
      </>,
      "Send the stopped request again. You can close this page.",
    ],
  },
  confirmed: {
    status: 200,
    tone: "good",
    title: "Already confirmed",
    text: () => [
      "This address was confirmed before, and the key works from it. There is nothing left to do.",
    ],
  },
  frozen_now: {
    status: 200,
    tone: "good",
    title: "The key is frozen",
    text: (facts) => [
      <>
        <Key {...facts} /> does not work any more, anywhere, and no call under it is on its way.
      </>,
      "Your admins are told and can give you a new key. Until then, find out where the old one could have been seen: a repository, a chat, a log, a shared computer.",
    ],
  },
  frozen_soon: {
    status: 200,
    tone: "good",
    title: "The key is frozen",
    text: (facts) => [
      <>
        <Key {...facts} /> is answered from copies near its users: in at most{" "}
        {String(facts.withinSeconds ?? 0)} seconds it does not work anywhere any more.
      </>,
      "Your admins are told and can give you a new key. Until then, find out where the old one could have been seen: a repository, a chat, a log, a shared computer.",
    ],
  },
  frozen: {
    status: 200,
    tone: "calm",
    title: "This key is frozen",
    text: () => ["It works nowhere, so there is nothing to confirm. Ask your admins for a new key."],
  },
  rejected: {
    status: 200,
    tone: "calm",
    title: "Already answered",
    text: () => [
      "Somebody with this link has said that the call was not theirs, or an admin has set it aside. The address stays locked.",
      "If that was a mistake, ask your admins.",
    ],
  },
  locked: {
    status: 410,
    tone: "bad",
    title: "Too many wrong numbers",
    text: () => [
      "This link does not work any more, and the address stays locked. Somebody guessing would look the same.",
      SEND_AGAIN,
    ],
  },
  key_ended: {
    status: 410,
    tone: "calm",
    title: "This key has ended",
    text: () => [
      "It was revoked or has expired, so there is nothing to confirm. Ask your admins for a new key.",
    ],
  },
  expired: {
    status: 410,
    tone: "calm",
    title: "This link has expired",
    text: () => ["Links work for fifteen minutes. Nothing was changed; the address is still locked."],
  },
  unknown: {
    status: 404,
    tone: "calm",
    title: "This link is not valid",
    text: () => ["Part of it may be missing, or it is long gone. Nothing was changed.", SEND_AGAIN],
  },
  removed_now: {
    status: 200,
    tone: "good",
    title: "No longer trusted",
    text: (facts) => [
      <>
        Your keys do not work from <Address {...facts} /> any more, and no call from there is on its way.
      </>,
      "When one is used from there again, the call is stopped and you are asked by mail.",
    ],
  },
  covered: {
    status: 200,
    tone: "calm",
    title: "Removed, and still let in",
    text: (facts) => [
      <>
        Your word for <Address {...facts} /> is taken back. But your admins have approved a larger network
        that it lies in, so your keys still work from there.
      </>,
      "If that should not be, ask your admins, or freeze the key.",
    ],
  },
  not_trusted: {
    status: 200,
    tone: "calm",
    title: "Not trusted",
    text: (facts) => [
      <>
        Your keys do not work from <Address {...facts} />: it was taken back before.
      </>,
    ],
  },
  approved: {
    status: 200,
    tone: "calm",
    title: "Only an admin can do that",
    text: (facts) => [
      <>
        An admin has approved <Address {...facts} />. Ask your admins to take it back, or freeze the key.
      </>,
    ],
  },
  kept: {
    status: 200,
    tone: "calm",
    title: "Nothing was changed",
    text: () => ["Everything is as it was before."],
  },
  review_ended: {
    status: 410,
    tone: "calm",
    title: "This link has ended",
    text: () => [
      "Links to the page about your networks work for half an hour. Nothing was changed.",
      <>
        <a href="/networks">Ask for a new link</a>. It comes by mail.
      </>,
    ],
  },
  asked: {
    status: 200,
    tone: "good",
    title: "Look into your mailbox",
    text: () => [
      "If mail about keys goes to that address, a link is on its way. It works for half an hour.",
      "No mail? Look into the spam folder, or ask your admins which address they have. Only a few such mails are sent in an hour.",
    ],
  },
  unsure: {
    status: 200,
    tone: "calm",
    title: "Nothing was changed",
    text: () => [
      "The address stays locked, and the key works where it worked before.",
      "Ask yourself: have you just started a program, moved to another network, or turned a VPN on or off? If nothing of that explains the call, open the link in the mail again and answer “No”.",
    ],
  },
  sent: {
    status: 200,
    tone: "good",
    title: "A new mail is on its way",
    text: () => ["Use the link in that one; this one is used up."],
  },
  throttled: {
    status: 429,
    tone: "calm",
    title: "Not just yet",
    text: () => [
      "You were sent several mails in a short time, so the next one waits a little. Nothing was changed.",
      "Try again in a few minutes, or ask your admins to approve the address.",
    ],
  },
  refused: {
    status: 403,
    tone: "bad",
    title: "That did not come from this page",
    text: () => [
      "The form was sent from another site, or by a program. Nothing was changed.",
      "Open the link in the mail again and press the button yourself.",
    ],
  },
  unavailable: {
    status: 503,
    tone: "bad",
    title: "This cannot be answered right now",
    text: () => ["Nothing is lost and nothing was confirmed. Open the link again in a minute."],
  },
};

const SIGNS = { good: "✓", bad: "!", calm: "–" } as const;

export function endStatus(end: End): EndText["status"] {
  return ENDS[end].status;
}

export interface EndPageProps {
  readonly end: End;
  readonly nonce: string;
  readonly facts?: EndFacts;
  /** With it, an expired link can be replaced. */
  readonly resendTicket?: string;
  /** Where "this wasn't me" can still be said. */
  readonly freezeHref?: string;
  /** With it, the own networks can be looked at. */
  readonly reviewTicket?: string;
  /** The list that the visitor came from. */
  readonly back?: string;
}

export const EndPage: FC<EndPageProps> = ({ end, nonce, facts = {}, ...ways }) => {
  const { tone, title, text } = ENDS[end];
  const { resendTicket, freezeHref, reviewTicket, back } = ways;
  return (
    <Layout title={title} nonce={nonce}>
      <div class="card">
        <div class={`sign ${tone}`} aria-hidden="true">
          {SIGNS[tone]}
        </div>
        <h1>{title}</h1>
        {text(facts).map((paragraph) => (
          <p>{paragraph}</p>
        ))}
        {resendTicket === undefined ? null : (
          <StepForm step="resend" ticket={resendTicket}>
            <button>Send a new mail</button>
          </StepForm>
        )}
        {freezeHref === undefined ? null : (
          <p class="after">
            Did you not make this call? <a href={freezeHref}>This wasn’t me</a>
          </p>
        )}
        {reviewTicket === undefined ? null : (
          <StepForm step="open_review" ticket={reviewTicket}>
            <button class="plain">See where your keys work</button>
          </StepForm>
        )}
        {back === undefined ? null : (
          <p class="after">
            <a href={back}>Back to your networks</a>
          </p>
        )}
      </div>
    </Layout>
  );
};
