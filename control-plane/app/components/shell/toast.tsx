import { useState } from "react";
import { useHydrated } from "../hydrated.ts";
import { Notice } from "../notice.tsx";

/** What was done, said once on the page that follows. */
export interface Flash {
  readonly tone: "good" | "bad" | "waiting";
  readonly text: string;
}

/** Part of the page, so that it is there without scripts; with them it can be closed. It never leaves by itself. */
export function Toast({ flash }: { readonly flash: Flash }) {
  const [closed, setClosed] = useState<Flash | null>(null);
  const hydrated = useHydrated();
  if (closed === flash) return null;
  return (
    <div className="mb-6 print:hidden" data-flash>
      <Notice
        tone={flash.tone}
        aside={
          <button
            type="button"
            className={`rounded px-2 py-0.5 font-medium hover:underline ${hydrated ? "" : "invisible"}`}
            onClick={() => {
              setClosed(flash);
            }}
          >
            Dismiss
          </button>
        }
      >
        {flash.text}
      </Notice>
    </div>
  );
}
