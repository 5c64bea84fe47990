import { useRevalidator } from "@remix-run/react";
import { useEffect } from "react";

const POLL_MS = 2_000;

/** Loads the page's data again and again, while somebody looks at it. */
export function useRepeatedLook(isOn: boolean): void {
  const { revalidate, state } = useRevalidator();
  useEffect(() => {
    if (!isOn || state !== "idle") return;
    const timer = setTimeout(() => {
      if (document.visibilityState === "visible") revalidate();
    }, POLL_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isOn, revalidate, state]);
}
