import type { Snippet } from "@relaykey/core/snippets";
import type { PolicySentence } from "@relaykey/core/policy-words";
import { LinkButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { Code, CodeSnippets } from "../code-snippet.tsx";
import { Notice } from "../notice.tsx";
import { AlreadyMade } from "../once.tsx";
import { PageHeader } from "../page-header.tsx";
import type { Back } from "../page-header.tsx";
import { FirstRequest } from "./first-request.tsx";
import { PolicyWords } from "./policy-words.tsx";

/** A key that was just made. Only the answer of the action that made it holds this: no loader, address or cookie does. */
export interface Revealed {
  readonly keyId: string;
  readonly name: string;
  readonly token: string;
  readonly snippets: readonly Snippet[];
  readonly sentences: readonly PolicySentence[];
  readonly isPending: boolean;
  /** What becomes of the key that this one replaces. */
  readonly former: string | null;
}

const KEYS: Back = { to: "/keys", label: "Keys" };

/** Shows a token for the one time it can be seen. */
export function Reveal({ revealed, back = KEYS }: { readonly revealed: Revealed; readonly back?: Back }) {
  const { keyId, name, token, snippets, sentences, isPending, former } = revealed;
  return (
    <>
      <PageHeader
        title="Your new key"
        back={back}
        note={`“${name}” is made. Copy it now, to where it will be used.`}
        actions={<LinkButton to={`/keys/${keyId}`}>Open the key</LinkButton>}
      />
      <div className="flex flex-col gap-4">
        {isPending && (
          <Notice tone="waiting" title="Not in force yet">
            The proxy has not confirmed the key. Until it does, requests under it are refused; it is tried
            again each minute.
          </Notice>
        )}
        {former !== null && (
          <Notice tone="info" title="The key before it">
            {former}
          </Notice>
        )}
        <div className="rounded-xl border border-accent/40 bg-accent-soft p-4 sm:p-6">
          <h2 className="font-semibold">The key, shown this once</h2>
          <p className="mt-1 mb-3 text-sm text-muted">
            It is stored nowhere, only its hash is: nobody can show it again. Who loses it gets a new one.
          </p>
          <Code text={token} label="the key" />
        </div>
      </div>
      <div className="mt-4">
        <FirstRequest keyId={keyId} />
      </div>
      <Card title="Use it" note="Only the address and the key change; the vendor's SDK stays as it is.">
        <CodeSnippets
          name="snippet"
          label="Snippets"
          snippets={snippets.map(({ label, install, text }) => ({
            language: label,
            text: withNeeds(COMMENT[label], install, text),
          }))}
        />
      </Card>
      <Card title="What it can do">
        <PolicyWords sentences={sentences} />
      </Card>
    </>
  );
}

/** In place of the reveal, when the form that made the key is sent again. */
export function KeyMadeAlready({ id }: { readonly id: string | null }) {
  return (
    <AlreadyMade
      what="key"
      secret="the key itself"
      id={id}
      list={KEYS}
      to={(made) => `/keys/${made}`}
      lost="If you have not copied it, replace it: the key that takes its place is shown, once again."
      lostAction={(made) => <LinkButton to={`/keys/${made}?confirm=reroll`}>Replace the key</LinkButton>}
      again="/keys/new"
    />
  );
}

/** Where code is pasted, not commands. */
const COMMENT: Readonly<Record<string, string>> = { Node: "//", Python: "#" };

/** Code that says what has to be there first: the key is not in it, so that it can be kept. */
function withNeeds(comment: string | undefined, install: string | null, text: string): string {
  if (comment === undefined) return text;
  const first = install === null ? "" : `${install}, and `;
  return `${comment} First, in the shell: ${first}the lines under Environment.\n\n${text}`;
}
