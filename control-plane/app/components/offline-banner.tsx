import { useEffect } from "react";
import { useOnline } from "./online.ts";

/** What is on the page may be old, and nothing can be sent. Links wait: a page that is there is worth more than none. */
export function OfflineBanner() {
  const isOnline = useOnline();
  useEffect(() => {
    if (isOnline) return;
    document.addEventListener("click", stay, { capture: true });
    return () => {
      document.removeEventListener("click", stay, { capture: true });
    };
  }, [isOnline]);
  return (
    <div role="status" className="sticky top-0 z-50">
      {!isOnline && (
        <p className="bg-waiting-soft px-4 py-2 text-center text-sm font-medium text-waiting">
          You are offline. What you see may be out of date, and nothing can be changed or opened until you are
          back.
        </p>
      )}
    </div>
  );
}

/** Keeps a link from leading away, unless it leads to another place of the page. */
function stay(event: Event): void {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (link === null || link.getAttribute("href")?.startsWith("#") === true) return;
  event.preventDefault();
  event.stopPropagation();
}
