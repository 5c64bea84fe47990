/** A sentence of the documents: `code` in it is shown as such. */
export function Prose({ text }: { readonly text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code key={index} className="font-mono text-[0.85em] break-words">
        {part}
      </code>
    ) : (
      part.replaceAll("**", "")
    ),
  );
}
