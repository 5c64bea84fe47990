import { Notice } from "../notice.tsx";

/** What came of trying a vendor key: a verdict and how long it took. */
export interface ShownProbe {
  readonly verdict: string;
  readonly words: string;
  readonly latencyMs: number;
}

const TITLES: Readonly<Record<string, { readonly tone: "good" | "bad"; readonly title: string }>> = {
  accepted: { tone: "good", title: "The key works" },
  refused: { tone: "bad", title: "The key does not work" },
};

export function ProbeNotice({ probe }: { readonly probe: ShownProbe }) {
  const { tone, title } = TITLES[probe.verdict] ?? {
    tone: "waiting" as const,
    title: "It could not be told",
  };
  return (
    <Notice tone={tone} title={title}>
      {probe.words} <span className="tabular-nums">({probe.latencyMs} ms)</span>
    </Notice>
  );
}
