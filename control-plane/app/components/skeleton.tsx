/** Holds the place of lines that are on their way. */
export function Skeleton({ lines }: { readonly lines: number }) {
  return (
    <div role="status" className="flex flex-col gap-2 p-4">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} aria-hidden="true" className="h-4 animate-pulse rounded bg-sunken" />
      ))}
    </div>
  );
}
