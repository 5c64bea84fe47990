import { useNavigate } from "@remix-run/react";
import { useRef, useState } from "react";
import type { KeyboardEvent, MouseEvent, PointerEvent } from "react";

/** What can be brushed over: a link to a piece of time, by `from` and `to` in its query. */
interface Piece {
  readonly label: string;
  readonly to: string;
}

/** Both inclusive, the lesser first. */
interface Selection {
  readonly first: number;
  readonly last: number;
}

/** Anchor and end of what is being chosen, by number of the piece. */
interface Stretch {
  readonly anchor: number;
  readonly end: number;
}

/** A drag that moved less is a click. */
const LEAST_DRAG_PX = 4;

/**
 * Chooses a stretch of pieces that lie side by side: by dragging over them, or with the arrow keys and Shift. What is chosen becomes
 * the address that leads from the beginning of the first to the end of the last. Without scripts each piece is a link of its own.
 */
export function useBrush(pieces: readonly Piece[]) {
  const navigate = useNavigate();
  const [stretch, setStretch] = useState<Stretch | null>(null);
  // The newest piece is the one that is tabbed to.
  const [current, setCurrent] = useState<number | null>(null);
  const drag = useRef<{ readonly x: number; readonly anchor: number; moved: boolean } | null>(null);
  // Other pieces than those that were chosen from: time went on, or another time is looked at.
  const [origin, setOrigin] = useState(pieces[0]?.label);
  if (origin !== pieces[0]?.label) {
    setOrigin(pieces[0]?.label);
    setStretch(null);
    setCurrent(null);
  }
  const last = pieces.length - 1;
  const focusable = Math.min(current ?? last, last);

  const at = ({ clientX, currentTarget }: PointerEvent<SVGSVGElement>): number => {
    const { left, width } = currentTarget.getBoundingClientRect();
    return clamp(Math.floor(((clientX - left) / width) * pieces.length), last);
  };
  const go = (chosen: Stretch): void => {
    const { first, last: end } = inOrder(chosen);
    const link = spanning(pieces[first], pieces[end]);
    setStretch(null);
    if (link !== null) navigate(link, { preventScrollReset: true });
  };

  return {
    selection: stretch === null ? null : inOrder(stretch),
    focusable,
    /** Of the element that all pieces are in, and that is as wide as they are. */
    surface: {
      onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
        if (!event.isPrimary || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey)
          return;
        drag.current = { x: event.clientX, anchor: at(event), moved: false };
      },
      onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
        const begun = drag.current;
        if (begun === null) return;
        if (event.buttons === 0) {
          // Let go elsewhere.
          drag.current = null;
          return;
        }
        if (!begun.moved && Math.abs(event.clientX - begun.x) < LEAST_DRAG_PX) return;
        begun.moved = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        setStretch({ anchor: begun.anchor, end: at(event) });
      },
      onPointerUp: (event: PointerEvent<SVGSVGElement>) => {
        if (drag.current?.moved === true) go({ anchor: drag.current.anchor, end: at(event) });
        // After the click that the browser makes of it.
        setTimeout(() => {
          drag.current = null;
        });
      },
      // The browser took the finger for something else, such as scrolling.
      onPointerCancel: () => {
        drag.current = null;
        setStretch(null);
      },
      // The end of a drag is no click on the piece it ended on.
      onClickCapture: (event: MouseEvent) => {
        if (drag.current?.moved === true) {
          event.preventDefault();
          event.stopPropagation();
        }
      },
      onDragStart: (event: MouseEvent) => {
        event.preventDefault();
      },
    },
    /** Of the link of a piece. */
    onKeyDown: (event: KeyboardEvent, index: number) => {
      const next = move(event.key, index, last);
      if (next !== null) {
        event.preventDefault();
        setStretch(event.shiftKey ? { anchor: stretch?.anchor ?? index, end: next } : null);
        setCurrent(next);
        focusPiece(event.currentTarget, next);
      } else if (event.key === "Escape" && stretch !== null) {
        event.preventDefault();
        setStretch(null);
      } else if (event.key === "Enter" && stretch !== null) {
        event.preventDefault();
        go(stretch);
      }
    },
  };
}

/** Where a key leads from a piece; null when it leads nowhere. */
function move(key: string, index: number, last: number): number | null {
  switch (key) {
    case "ArrowLeft":
      return clamp(index - 1, last);
    case "ArrowRight":
      return clamp(index + 1, last);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

function focusPiece(piece: Element, index: number): void {
  piece.closest("svg")?.querySelectorAll("a")[index]?.focus();
}

function inOrder({ anchor, end }: Stretch): Selection {
  return { first: Math.min(anchor, end), last: Math.max(anchor, end) };
}

/** The address from the beginning of one piece to the end of another. */
export function spanning(first: Piece | undefined, last: Piece | undefined): string | null {
  if (first === undefined || last === undefined) return null;
  const [path = "", query = ""] = first.to.split("?");
  const search = new URLSearchParams(query);
  const until = new URLSearchParams(last.to.split("?")[1]).get("to");
  if (until !== null) search.set("to", until);
  return `${path}?${search.toString()}`;
}

function clamp(index: number, last: number): number {
  return Math.max(0, Math.min(last, index));
}
