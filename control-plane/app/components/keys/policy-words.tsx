import type { PolicySentence } from "@relaykey/core/policy-words";

/** What a policy means, a sentence a line; a wide one is marked in words and colour. */
export function PolicyWords({ sentences }: { readonly sentences: readonly PolicySentence[] }) {
  return (
    <ul className="flex flex-col gap-2 text-sm">
      {sentences.map(({ text, isWide }) => (
        <li key={text} className="flex gap-2.5">
          <span
            aria-hidden="true"
            className={`mt-1.5 size-2 shrink-0 rounded-full ${isWide ? "bg-waiting" : "bg-good"}`}
          />
          <span className="min-w-0 break-words">
            {text}
            {isWide && <span className="ml-1.5 text-xs font-medium text-waiting">wide</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
