import { useRevalidator } from "@remix-run/react";
import { useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { useHydrated } from "./hydrated.ts";

const EVERY_MS = 2_000;

/** Looks again every two seconds while it is on and the page is in sight. Off at first; without scripts it is not there. */
export function LiveTail() {
  const hydrated = useHydrated();
  const [isOn, setOn] = useState(false);
  const { revalidate, state } = useRevalidator();
  useEffect(() => {
    if (!isOn || state !== "idle") return;
    const timer = setTimeout(() => {
      if (document.visibilityState === "visible") revalidate();
    }, EVERY_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isOn, state, revalidate]);
  return (
    <Button
      aria-pressed={isOn}
      className={`${hydrated ? "" : "invisible"} aria-pressed:border-accent aria-pressed:text-accent`}
      onClick={() => {
        setOn(!isOn);
      }}
    >
      <span
        aria-hidden="true"
        className={`size-2 rounded-full ${isOn ? "animate-pulse bg-chart-2" : "bg-edge"}`}
      />
      Live
    </Button>
  );
}
