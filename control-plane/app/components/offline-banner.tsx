import { useOnline } from "./online.ts";

/** What is on the page may be old, and nothing can be sent. */
export function OfflineBanner() {
  const isOnline = useOnline();
  return (
    <div role="status">
      {!isOnline && (
        <p className="sticky top-0 z-30 bg-waiting-soft px-4 py-2 text-center text-sm font-medium text-waiting">
          You are offline. What you see may be out of date, and nothing can be changed.
        </p>
      )}
    </div>
  );
}
