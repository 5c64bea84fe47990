import { Link, useLocation } from "@remix-run/react";
import type { ReactNode } from "react";
import type { ShownFailure } from "./failure.ts";
import { Notice } from "./notice.tsx";

/** Why a form came back, above its fields. What concerns one field is said there as well. */
export function FormFailure({ failure }: { readonly failure: ShownFailure | undefined }) {
  if (failure === undefined) return null;
  return (
    <Notice tone="bad" title={failure.title}>
      {failure.errors.length === 0 ? (
        <>
          {failure.detail} <PasskeyLink code={failure.code} />
        </>
      ) : (
        <ul className="list-disc pl-5">
          {failure.errors.map(({ field, message }) => (
            <li key={`${field} ${message}`}>{message}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

/** The way to what a dangerous action asks for, and back. */
export function PasskeyLink({ code }: { readonly code: string }) {
  const { pathname, search } = useLocation();
  if (code !== "passkey_needed") return null;
  return (
    <Link
      className="font-medium underline"
      to={`/passkey?return_to=${encodeURIComponent(`${pathname}${search}`)}`}
    >
      Show the passkey
    </Link>
  );
}

/** The buttons under a form. */
export function FormActions({ children }: { readonly children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-3 pt-2">{children}</div>;
}
