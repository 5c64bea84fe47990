import { useState } from "react";
import { Button } from "./button.tsx";
import { useHydrated } from "./hydrated.ts";

/** Copies a text. Keeps its place, unseen, where no scripts run: the text can be selected there. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const hydrated = useHydrated();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  const words = { idle: "Copy", copied: "Copied", failed: "Select and copy" }[state];
  return (
    <Button
      size="sm"
      className={hydrated ? "" : "invisible"}
      aria-label={state === "idle" ? `Copy ${label}` : words}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => {
            setState("copied");
          },
          () => {
            setState("failed");
          },
        );
      }}
    >
      <span aria-live="polite">{words}</span>
    </Button>
  );
}
