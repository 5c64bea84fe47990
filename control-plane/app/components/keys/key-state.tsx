import { Badge } from "../badge.tsx";
import type { Tone } from "../badge.tsx";

export type KeyState = "active" | "frozen" | "revoked" | "expired" | "waiting";

const WORDS: Record<KeyState, { readonly tone: Tone; readonly word: string }> = {
  active: { tone: "good", word: "active" },
  frozen: { tone: "waiting", word: "frozen" },
  revoked: { tone: "bad", word: "revoked" },
  expired: { tone: "quiet", word: "expired" },
  waiting: { tone: "quiet", word: "not valid yet" },
};

/** What a key is, and whether the proxy has heard of it. */
export function KeyStateBadges(props: { readonly state: KeyState; readonly isPending: boolean }) {
  const { tone, word } = WORDS[props.state];
  return (
    <span className="inline-flex flex-wrap gap-1">
      <Badge tone={tone}>{word}</Badge>
      {props.isPending && <Badge tone="waiting">pending, not enforced</Badge>}
    </span>
  );
}
