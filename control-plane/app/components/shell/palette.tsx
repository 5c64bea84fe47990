import { useFetcher, useNavigate } from "@remix-run/react";
import { useEffect, useRef, useState } from "react";
import type { KeyboardEvent } from "react";
import { Skeleton } from "../skeleton.tsx";
import { SECTIONS } from "../settings/sections.ts";
import { DESTINATIONS } from "./navigation.ts";

/** One thing that can be gone to. */
export interface Hit {
  readonly to: string;
  readonly label: string;
  /** What kind of thing it is. */
  readonly note: string;
}

const PAGES: readonly Hit[] = [
  ...DESTINATIONS.map(({ to, label }) => ({ to, label, note: "Page" })),
  ...SECTIONS.map(({ to, label }) => ({ to, label, note: "Settings" })),
  { to: "/start", label: "First steps", note: "Page" },
  { to: "/trust", label: "Trust", note: "Page" },
  { to: "/docs/block-reasons", label: "Block reasons", note: "Page" },
];

/** What only admins can do. */
const ACTIONS: readonly Hit[] = [
  { to: "/keys/new", label: "New key", note: "Action" },
  { to: "/integrations/new", label: "Add an integration", note: "Action" },
  { to: "/holders/new", label: "New holder", note: "Action" },
  { to: "/settings/members", label: "Invite somebody", note: "Action" },
  { to: "/settings/tokens", label: "New management token", note: "Action" },
  { to: "/settings/danger?confirm=freeze", label: "Refuse every key", note: "Action" },
];

/** Pause after a keystroke before the server is asked. */
const PAUSE_MS = 120;
const MAX_HITS = 12;

/**
 * Ctrl-K or Cmd-K: go to a page, a key, a holder, an integration by name, or begin something. Without scripts the same field
 * is the page /search.
 */
export function Palette({ mayChange }: { readonly mayChange: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const fetcher = useFetcher<{ hits: Hit[] }>();
  const navigate = useNavigate();
  const { load } = fetcher;

  useEffect(() => {
    const open = () => {
      setQuery("");
      setActive(0);
      if (dialog.current?.open === false) dialog.current.showModal();
    };
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey) return;
      event.preventDefault();
      open();
    };
    const onClick = (event: MouseEvent) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      if (!(event.target instanceof Element) || event.target.closest("[data-palette]") === null) return;
      event.preventDefault();
      open();
    };
    document.addEventListener("keydown", onKey);
    // In the capture phase: before the link is followed.
    document.addEventListener("click", onClick, true);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("click", onClick, true);
    };
  }, []);

  useEffect(() => {
    if (query.trim() === "") return;
    const timer = setTimeout(() => {
      load(`/search?q=${encodeURIComponent(query.trim())}`);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [query, load]);

  const wanted = query.trim().toLowerCase();
  const pages = [...PAGES, ...(mayChange ? ACTIONS : [])].filter(({ label }) =>
    label.toLowerCase().includes(wanted),
  );
  const hits = [...pages, ...(wanted === "" ? [] : (fetcher.data?.hits ?? []))].slice(0, MAX_HITS);
  const chosen = Math.min(active, hits.length - 1);

  const go = (hit: Hit | undefined) => {
    if (hit === undefined) return;
    dialog.current?.close();
    navigate(hit.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && hits.length > 0) {
      event.preventDefault();
      setActive((chosen + step + hits.length) % hits.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(hits[chosen]);
    }
  };

  return (
    <dialog
      ref={dialog}
      aria-label="Search"
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
      className="mx-auto mt-[12vh] w-[min(36rem,calc(100vw-2rem))] overflow-hidden rounded-2xl border border-line bg-surface text-ink shadow-2xl"
    >
      <input
        type="text"
        role="combobox"
        aria-label="Search pages, keys, holders and integrations"
        aria-expanded="true"
        aria-controls="palette-hits"
        {...(hits[chosen] === undefined ? {} : { "aria-activedescendant": `palette-hit-${String(chosen)}` })}
        autoComplete="off"
        spellCheck={false}
        placeholder="Go to a page, a key, a holder, an integration …"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="w-full border-b border-line bg-surface px-4 py-3.5 outline-none placeholder:text-muted"
      />
      <ul id="palette-hits" role="listbox" aria-label="Results" className="max-h-80 overflow-y-auto p-1.5">
        {hits.map((hit, index) => (
          <li
            key={`${hit.note} ${hit.to}`}
            id={`palette-hit-${String(index)}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => {
              go(hit);
            }}
            className="flex cursor-pointer items-center justify-between gap-3 rounded-lg px-3 py-2 text-sm hover:bg-sunken aria-selected:bg-accent-soft aria-selected:text-accent"
          >
            <span className="truncate">{hit.label}</span>
            <span className="text-xs text-muted">{hit.note}</span>
          </li>
        ))}
      </ul>
      {hits.length === 0 &&
        (fetcher.state === "idle" ? (
          <p className="px-4 pb-4 text-sm text-muted">Nothing has that name.</p>
        ) : (
          <Skeleton lines={2} />
        ))}
    </dialog>
  );
}
