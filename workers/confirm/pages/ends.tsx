import type { Child, FC } from "hono/jsx";
import type { ConfirmationEnd, ConfirmationView } from "@relaykey/core/rpc";
import { keyTitle } from "../show/facts.ts";
import { oneLine } from "../show/text.ts";
import { StepForm } from "./form.tsx";
import { Layout } from "./layout.tsx";

/** Where a visit ends. */
export type End =
  | ConfirmationEnd
  | "confirmed_now"
  | "frozen_now"
  | "unsure"
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
  readonly text: (view: ConfirmationView | null) => readonly Child[];
}

const SEND_AGAIN = "Send your request again: if the address is still new, a new mail comes.";

const ENDS: Readonly<Record<End, EndText>> = {
  confirmed_now: {
    status: 200,
    tone: "good",
    title: "Confirmed",
    text: (view) => [
      <>
        {view === null ? "The key" : <strong>“{keyTitle(view)}”</strong>} works from{" "}
        {view === null ? (
          "this address"
        ) : (
          <span class="mono">{oneLine(view.pending.request.address, 80)}</span>
        )}{" "}
        from now on.
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
    text: (view) => [
      <>
        {view === null ? "The key" : <strong>“{keyTitle(view)}”</strong>} does not work any more, anywhere,
        and no call under it is on its way.
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

interface EndPageProps {
  readonly end: End;
  readonly nonce: string;
  /** Where it is known. */
  readonly view?: ConfirmationView | null;
  /** With it, an expired link can be replaced. */
  readonly ticket?: string;
}

export const EndPage: FC<EndPageProps> = ({ end, nonce, view = null, ticket }) => {
  const { tone, title, text } = ENDS[end];
  return (
    <Layout title={title} nonce={nonce}>
      <div class="card">
        <div class={`sign ${tone}`} aria-hidden="true">
          {SIGNS[tone]}
        </div>
        <h1>{title}</h1>
        {text(view).map((paragraph) => (
          <p>{paragraph}</p>
        ))}
        {end === "expired" && ticket !== undefined ? (
          <StepForm step="resend" ticket={ticket}>
            <button>Send a new mail</button>
          </StepForm>
        ) : null}
      </div>
    </Layout>
  );
};
