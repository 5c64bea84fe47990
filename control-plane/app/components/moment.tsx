/** A moment as UTC, the same on server and in browser. */
export function Moment({ iso }: { readonly iso: string }) {
  return (
    <time dateTime={iso} className="whitespace-nowrap tabular-nums">
      {iso.slice(0, 10)} {iso.slice(11, 19)}
    </time>
  );
}
