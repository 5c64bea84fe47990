import { useLocation } from "@remix-run/react";
import { LinkButton } from "./button.tsx";

/** To the next part of a list, by cursor; back is the browser's, or the first part. The filters stay. */
export function Pagination({ nextCursor }: { readonly nextCursor: string | null }) {
  const { search } = useLocation();
  const query = new URLSearchParams(search);
  const isFirst = !query.has("cursor");
  if (nextCursor === null && isFirst) return null;
  const first = new URLSearchParams(query);
  first.delete("cursor");
  const next = new URLSearchParams(query);
  if (nextCursor !== null) next.set("cursor", nextCursor);
  return (
    <nav aria-label="Pages" className="mt-4 flex justify-between gap-3">
      {isFirst ? <span /> : <LinkButton to={`?${first.toString()}`}>First page</LinkButton>}
      {nextCursor !== null && <LinkButton to={`?${next.toString()}`}>Next page</LinkButton>}
    </nav>
  );
}
