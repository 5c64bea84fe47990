/** Rules as they are written, one a line. */
export function RuleList({ rules }: { readonly rules: readonly string[] }) {
  return (
    <ul className="flex flex-col gap-1 font-mono text-xs leading-5">
      {rules.map((rule) => (
        <li key={rule} className="rounded bg-sunken px-2 py-0.5 break-words">
          {rule}
        </li>
      ))}
    </ul>
  );
}

/** What a change of rules takes away, leaves and adds: in words and signs, not in colour alone. */
export function RuleDiff({
  before,
  after,
}: {
  readonly before: readonly string[];
  readonly after: readonly string[];
}) {
  const removed = before.filter((rule) => !after.includes(rule));
  const lines = [
    ...removed.map((rule) => ({ rule, sign: "−", word: "removed", look: "bg-bad-soft text-bad" })),
    ...after.map((rule) =>
      before.includes(rule)
        ? { rule, sign: " ", word: "kept", look: "bg-sunken" }
        : { rule, sign: "+", word: "added", look: "bg-good-soft text-good" },
    ),
  ];
  return (
    <ul className="flex flex-col gap-1 font-mono text-xs leading-5">
      {lines.map(({ rule, sign, word, look }) => (
        <li key={`${word} ${rule}`} className={`flex gap-2 rounded px-2 py-0.5 ${look}`}>
          <span aria-hidden="true" className="w-3 shrink-0 text-center">
            {sign}
          </span>
          <span className="sr-only">{word}: </span>
          <span className="min-w-0 break-words">{rule}</span>
        </li>
      ))}
    </ul>
  );
}
