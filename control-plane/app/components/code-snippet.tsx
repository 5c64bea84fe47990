import { CopyButton } from "./copy-button.tsx";

/** A text to paste. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="flex items-start justify-between gap-3 rounded-lg border border-line bg-sunken p-3">
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        className="min-w-0 flex-1 overflow-x-auto py-1 font-mono text-xs leading-5"
      >
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** The same in several languages: radio buttons that look like tabs, so that it works without scripts. */
export function CodeSnippets(props: {
  /** Unique on the page. */
  readonly name: string;
  readonly label: string;
  readonly snippets: readonly { readonly language: string; readonly text: string }[];
}) {
  return (
    <fieldset className="flex min-w-0 flex-wrap gap-x-1 gap-y-2">
      <legend className="sr-only">{props.label}</legend>
      {props.snippets.map(({ language, text }, index) => {
        const id = `${props.name}-${String(index)}`;
        return [
          <input
            key={`${id}-input`}
            type="radio"
            id={id}
            name={props.name}
            defaultChecked={index === 0}
            className="peer sr-only"
          />,
          <label
            key={`${id}-label`}
            htmlFor={id}
            className="cursor-pointer rounded-md px-2.5 py-1 text-sm font-medium text-muted hover:text-ink [:checked+&]:bg-accent-soft [:checked+&]:text-accent [:focus-visible+&]:outline-2 [:focus-visible+&]:outline-accent"
          >
            {language}
          </label>,
          <div key={`${id}-pane`} className="order-last hidden w-full [:checked+label+&]:block">
            <Code text={text} label={`${props.label}: ${language}`} />
          </div>,
        ];
      })}
    </fieldset>
  );
}
