import { Link, useFetcher } from "@remix-run/react";
import { useEffect } from "react";
import type { ShownEvent } from "../../.server/keys.ts";
import { reasonTitle } from "../badge.tsx";
import { useHydrated } from "../hydrated.ts";
import { Notice } from "../notice.tsx";

const POLL_MS = 1_500;

/** Waits for the first request of a key, and shows it as it arrives. Without scripts the page of the key shows it. */
export function FirstRequest({ keyId }: { readonly keyId: string }) {
  const { data, load, state } = useFetcher<{ readonly event: ShownEvent | null }>();
  const hydrated = useHydrated();
  const event = data?.event ?? null;
  useEffect(() => {
    if (event !== null || state !== "idle") return;
    const timer = setTimeout(() => {
      if (document.visibilityState === "visible") load(`/keys/${keyId}/first-request`);
    }, POLL_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [event, keyId, load, state]);
  const all = (
    <Link to={`/keys/${keyId}`} className="underline">
      The page of the key
    </Link>
  );
  if (event === null) {
    return (
      <Notice tone="info" title={hydrated ? "Waiting for its first request …" : "Its first request"}>
        Run one of the snippets below{hydrated ? ": it shows here as it arrives. " : ". "}
        {all} shows every request within seconds.
      </Notice>
    );
  }
  const isAllowed = event.decision === "allowed";
  return (
    <Notice
      tone={isAllowed ? "good" : "waiting"}
      title={isAllowed ? "The first request is here" : "The first request is here, and was refused"}
    >
      <code className="font-mono text-xs break-all">
        {event.method} {event.path}
      </code>{" "}
      from {event.ip ?? "somewhere"}:{" "}
      {event.reason === null ? `status ${String(event.status)}` : reasonTitle(event.reason)}. {all} shows the
      rest.
    </Notice>
  );
}
