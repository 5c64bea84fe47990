import { useEffect, useRef } from "react";
import { Button } from "../button.tsx";

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["Ctrl K or ⌘ K", "find a page, a key, a holder, an integration or an action"],
  ["↑ ↓, then Enter", "choose from what was found"],
  ["Tab, then Enter", "first of all on each page: skip to the content"],
  ["Escape", "close a dialog and change nothing"],
  ["?", "this list"],
];

/** The list of keys that do something, opened by "?". */
export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey) return;
      // Where text is typed it is a question mark.
      if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog") !== null)
        return;
      event.preventDefault();
      dialog.current?.showModal();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="shortcuts-title"
      className="mx-auto mt-[12vh] w-[min(32rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-6 text-ink shadow-2xl"
    >
      <h2 id="shortcuts-title" className="text-lg font-semibold">
        Keyboard shortcuts
      </h2>
      <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-3 text-sm">
        {KEYS.map(([keys, does]) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="font-mono text-xs">{keys}</kbd>
            </dt>
            <dd className="text-muted">{does}</dd>
          </div>
        ))}
      </dl>
      <div className="mt-5 flex justify-end">
        <Button onClick={() => dialog.current?.close()}>Close</Button>
      </div>
    </dialog>
  );
}
