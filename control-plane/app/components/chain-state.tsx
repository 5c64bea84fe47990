import { Link } from "@remix-run/react";
import type { ReactNode } from "react";
import type { ShownChain, ShownProof } from "../.server/audit-chain.ts";
import { Badge } from "./badge.tsx";
import type { Tone } from "./badge.tsx";
import { Facts } from "./facts.tsx";
import { Ago, Moment } from "./moment.tsx";
import { Notice } from "./notice.tsx";

/** How far the log is verified: a quiet line while it is in order, and what to do when it is not. */
export function ChainState({ chain }: { readonly chain: ShownChain }) {
  const { state, head, through, events, checkedAt, problem } = chain;
  if (state === "empty" || head === null) return null;
  if (problem !== null) return <BrokenChain problem={problem} />;
  if (checkedAt === null) {
    return (
      <Line tone="waiting" word="Chain not checked yet">
        It is checked each minute.
      </Line>
    );
  }
  const waiting = head.sequence - through;
  return (
    <Line tone="good" word="Chain verified">
      <span>
        through batch {through.toLocaleString("en")} · {events.toLocaleString("en")}{" "}
        {events === 1 ? "event" : "events"}
      </span>
      <span>
        last checkpoint <Ago iso={head.at} />
      </span>
      {waiting > 0 && (
        <span>
          {waiting === 1 ? "1 new batch waits" : `${waiting.toLocaleString("en")} new batches wait`} for the
          next check
        </span>
      )}
    </Line>
  );
}

function Line(props: { readonly tone: Tone; readonly word: string; readonly children: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted tabular-nums">
      <Badge tone={props.tone}>{props.word}</Badge>
      {props.children}
    </div>
  );
}

function BrokenChain({ problem }: { readonly problem: NonNullable<ShownChain["problem"]> }) {
  return (
    <div className="mb-4">
      <Notice tone="bad" title="The audit log does not fit its chain">
        <p>
          {problem.sentence} Noticed <Ago iso={problem.since} />.
        </p>
        <p className="mt-2">
          Somebody who can write to the database changed it, or it was restored from an older copy. What to
          do:
        </p>
        <ol className="mt-1 list-decimal space-y-1 pl-5">
          <li>Keep a copy of the database as it is now, and find out who could write to it.</li>
          <li>
            <a href="/audit/export?format=proof&range=24h" className="underline">
              Export the proof
            </a>
            , and compare it with one from before: <code className="font-mono text-xs">rk audit verify</code>{" "}
            names what differs.
          </li>
          <li>Restore what was changed from a backup. The next check sees it, and this notice goes.</li>
        </ol>
        {problem.requestId !== null && (
          <p className="mt-2">
            <Link to={`/audit/${problem.requestId}`} className="underline">
              Look at the request
            </Link>
          </p>
        )}
      </Notice>
    </div>
  );
}

const STATUS: Record<ShownProof["status"], { readonly tone: Tone; readonly word: string }> = {
  proved: { tone: "good", word: "As it was recorded" },
  older: { tone: "quiet", word: "Older than the chain" },
  wrong: { tone: "bad", word: "Not as it was recorded" },
};

/** Where an event stands in the chain, and whether it is what was recorded there. */
export function EventProof({ proof }: { readonly proof: ShownProof }) {
  const { status, sequence, position, count, writtenAt, keyId, problem } = proof;
  const { tone, word } = STATUS[status];
  return (
    <div className="flex flex-col gap-4 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={tone}>{word}</Badge>
        <span className={status === "wrong" ? "text-bad" : "text-muted"}>{problem ?? EXPLAINED[status]}</span>
      </p>
      {sequence !== null && position !== null && (
        <Facts
          facts={[
            ["Batch", sequence.toLocaleString("en")],
            [
              "Position",
              `${(position + 1).toLocaleString("en")}${count === null ? "" : ` of ${count.toLocaleString("en")}`}`,
            ],
            ["Written (UTC)", writtenAt === null ? "not known" : <Moment key="written" iso={writtenAt} />],
            [
              "Signed by",
              <code key="key" className="font-mono text-xs">
                {keyId ?? "nobody"}
              </code>,
            ],
          ]}
        />
      )}
    </div>
  );
}

const EXPLAINED: Record<ShownProof["status"], string> = {
  proved: "Checked just now against its batch's hash, and that against its signature.",
  older: "It was recorded before events were chained, so nothing proves it.",
  wrong: "",
};
