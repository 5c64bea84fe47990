import type { MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import { TRUST } from "../.server/trust.generated.ts";
import { Card } from "../components/card.tsx";
import { PublicPage } from "../components/public-page.tsx";
import { Prose } from "../components/prose.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Trust · RelayKey" }];

export function loader() {
  return TRUST;
}

type Attacker = (typeof TRUST)["attackers"][number];

const ATTACKERS: readonly Column<Attacker>[] = [
  { heading: "Who", cell: ({ who }) => <Sentence text={who} /> },
  { heading: "Gets", wide: true, cell: ({ gets }) => <Sentence text={gets === "" ? "nothing" : gets} /> },
  { heading: "Never gets", wide: true, cell: ({ never }) => <Sentence text={never} /> },
];

/** What RelayKey defends, by what, and what it does not: for whoever has to decide whether to rely on it. */
export default function Trust() {
  const { attackers, controls, notDefended } = useLoaderData<typeof loader>();
  return (
    <PublicPage
      title="Why you can rely on it, and where you cannot"
      note="Each claim names the test that proves it. The page is made from the threat model and the tests themselves: a claim whose test is gone fails the build."
    >
      <Card title="What we hold, and what we never see">
        <div className="grid gap-6 text-sm sm:grid-cols-2">
          <List
            title="Held"
            items={[
              "Vendor keys, sealed: only the proxy can open them",
              "SHA-256 of each issued key, and its last four characters",
              "Who asked for what, when, from where, and the decision",
            ]}
          />
          <List
            title="Never kept"
            items={[
              "An issued key itself: it is shown once",
              "Bodies of requests and answers: they stream through",
              "Query strings, unless an integration asks for them",
              "A vendor key in the dashboard: it can seal one, and open none",
            ]}
          />
        </div>
      </Card>
      <Card title="Who may attack, and what they get" padded={false}>
        <Table caption="Attackers" columns={ATTACKERS} rows={attackers} keyOf={({ who }) => who} />
      </Card>
      <Card
        title="What holds it"
        note="Controls, where they are told in full, and the tests that prove them."
        padded={false}
      >
        <ul className="divide-y divide-line">
          {controls.map(({ name, document, tests }) => (
            <li key={name} className="p-4 text-sm sm:px-6">
              <p className="flex flex-wrap justify-between gap-x-4">
                <span className="font-medium first-letter:uppercase">{name}</span>
                <a href={`/docs/${document.file}`} className="text-accent underline">
                  {document.label}
                </a>
              </p>
              <ul className="mt-2 flex flex-col gap-2">
                {tests.map(({ file, title }) => (
                  <li key={title} className="border-l-2 border-good pl-3">
                    {title}
                    <code className="block font-mono text-xs break-all text-muted">{file}</code>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </Card>
      <Card title="What is not defended" padded={false}>
        <ul className="divide-y divide-line">
          {notDefended.map(({ title, text }) => (
            <li key={title} className="p-4 text-sm sm:px-6">
              <p className="max-w-prose text-muted">
                <strong className="font-medium text-ink">
                  <Prose text={title} />
                </strong>
                <Prose text={text} />
              </p>
            </li>
          ))}
        </ul>
      </Card>
    </PublicPage>
  );
}

function Sentence({ text }: { readonly text: string }) {
  return (
    <span className="inline-block first-letter:uppercase">
      <Prose text={text} />
    </span>
  );
}

function List({ title, items }: { readonly title: string; readonly items: readonly string[] }) {
  return (
    <div>
      <h3 className="font-medium">{title}</h3>
      <ul className="mt-2 flex list-disc flex-col gap-1.5 pl-5 text-muted">
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </div>
  );
}
