import type { ReactNode } from "react";
import { useRepeatedLook } from "./repeated-look.ts";

const TONES = {
  good: "border-good/30 bg-good-soft text-good",
  bad: "border-bad/30 bg-bad-soft text-bad",
  waiting: "border-waiting/30 bg-waiting-soft text-waiting",
  info: "border-line bg-sunken text-ink",
} as const;

/** A sentence that must be seen. `bad` ones interrupt a screen reader; the others wait their turn. */
export function Notice(props: {
  readonly tone: keyof typeof TONES;
  readonly title?: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div
      role={props.tone === "bad" ? "alert" : "status"}
      className={`flex flex-wrap items-start justify-between gap-x-4 gap-y-1 rounded-lg border px-4 py-3 text-sm ${TONES[props.tone]}`}
    >
      <div className="min-w-0 flex-1 basis-60">
        {props.title !== undefined && <p className="font-semibold">{props.title}</p>}
        <div>{props.children}</div>
      </div>
      {props.aside}
    </div>
  );
}

/** A change is stored, and the proxy has not confirmed it yet: it must never look done. */
export function PendingNotice({ keys }: { readonly keys: number }) {
  useRepeatedLook(keys > 0);
  if (keys === 0) return null;
  return (
    <Notice tone="waiting" title="Pending, not enforced yet">
      {keys === 1
        ? "The latest change of one key is stored, and not"
        : `The latest changes of ${String(keys)} keys are stored, and not`}{" "}
      in force: the proxy has not confirmed it. It is tried again each minute, and this page notices.
    </Notice>
  );
}
