import { Link } from "@remix-run/react";
import type { ReactNode } from "react";
import type { Overview } from "../.server/overview.ts";
import { Badge, reasonTitle } from "./badge.tsx";
import type { Tone } from "./badge.tsx";
import { Ago } from "./moment.tsx";

/** A number that leads to its rows. */
export function Figure(props: {
  readonly to: string;
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}) {
  return (
    <Link
      to={props.to}
      className="group rounded-xl border border-line bg-surface px-4 py-3.5 transition-colors hover:border-edge"
    >
      <span className="block text-sm text-muted group-hover:text-ink">{props.label}</span>
      <span className="mt-1 block text-2xl font-semibold tracking-tight tabular-nums">{props.value}</span>
      <span className="block min-h-4 text-xs text-muted">{props.note}</span>
    </Link>
  );
}

interface Item {
  readonly tone: Tone;
  readonly badge: string;
  readonly to: string;
  readonly text: ReactNode;
}

/** What waits for somebody, the most urgent first. */
export function Attention({ overview }: { readonly overview: Overview }) {
  const items = [...waitingItems(overview), ...unusualItems(overview)];
  if (items.length === 0) {
    return (
      <p className="p-4 text-sm text-muted">Nothing waits for you, and nothing is out of the ordinary.</p>
    );
  }
  return (
    <ul className="divide-y divide-line">
      {items.map(({ tone, badge, to, text }) => (
        <li key={`${badge} ${to}`}>
          <Link to={to} className="flex items-start gap-3 px-4 py-3 text-sm hover:bg-sunken/50">
            <span className="w-24 shrink-0">
              <Badge tone={tone}>{badge}</Badge>
            </span>
            <span className="min-w-0">{text}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function waitingItems({ waiting, expiring }: Overview): Item[] {
  const items: (Item & { readonly count: number })[] = [
    {
      count: waiting.failingIntegrations,
      tone: "bad",
      badge: "failing",
      to: "/integrations",
      text: `${plural(waiting.failingIntegrations, "vendor refuses", "vendors refuse")} the stored key.`,
    },
    {
      count: waiting.pendingKeys,
      tone: "waiting",
      badge: "pending",
      to: "/keys?state=pending",
      text: `${plural(waiting.pendingKeys, "key has a change that is", "keys have changes that are")} not enforced: the proxy has not confirmed it yet.`,
    },
    {
      count: waiting.newAddresses,
      tone: "waiting",
      badge: "new address",
      to: "/audit?reason=ip_unconfirmed&range=1h",
      text: `${plural(waiting.newAddresses, "new address waits", "new addresses wait")} for its holder's word.`,
    },
    {
      count: waiting.expiringKeys,
      tone: "waiting",
      badge: "expiring",
      to: "/keys?expires=soon",
      text: (
        <>
          {plural(waiting.expiringKeys, "key expires", "keys expire")} within {waiting.soonDays} days
          {expiring[0] !== undefined && (
            <>
              , the first, {expiring[0].name}, <Ago iso={expiring[0].expiresAt} />
            </>
          )}
          .
        </>
      ),
    },
    {
      count: waiting.frozenKeys,
      tone: "quiet",
      badge: "frozen",
      to: "/keys?state=frozen",
      text: `${plural(waiting.frozenKeys, "key is", "keys are")} frozen.`,
    },
  ];
  return items.filter(({ count }) => count > 0);
}

function unusualItems({ unusual }: Overview): Item[] {
  return unusual.map(({ kind, key, requests, usual }) => ({
    tone: kind === "blocked" ? ("bad" as const) : ("accent" as const),
    badge: "unusual",
    to: `/audit?key=${key.id}&range=24h${kind === "blocked" ? "&decision=blocked" : ""}`,
    text: `${key.name}: ${requests.toLocaleString("en")} ${kind === "blocked" ? "blocked requests" : "requests"} in 24 hours; a day had ${Math.round(usual).toLocaleString("en")} before.`,
  }));
}

/** Why requests were blocked, with what part of them. */
export function Reasons({ overview }: { readonly overview: Overview }) {
  const { reasons, blocked } = overview.chart;
  return (
    <ul className="divide-y divide-line">
      {reasons.map(({ reason, requests }) => (
        <li key={reason}>
          <Link
            to={`/audit?reason=${reason}&range=${overview.range}`}
            className="flex items-center justify-between gap-4 px-4 py-3 text-sm hover:bg-sunken/50"
          >
            <span className="min-w-0">{reasonTitle(reason)}</span>
            <Share part={requests} whole={blocked} tone="fill-chart-2" />
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The keys that are used the most. */
export function TopKeys({ overview }: { readonly overview: Overview }) {
  const most = Math.max(1, ...overview.topKeys.map(({ allowed, blocked }) => allowed + blocked));
  return (
    <ul className="divide-y divide-line">
      {overview.topKeys.map(({ id, name, allowed, blocked }) => (
        <li key={id}>
          <Link
            to={`/audit?key=${id}&range=24h`}
            className="flex items-center justify-between gap-4 px-4 py-3 text-sm hover:bg-sunken/50"
          >
            <span className="min-w-0">
              <span className="block truncate">{name}</span>
              {blocked > 0 && (
                <span className="text-xs text-muted">{blocked.toLocaleString("en")} of them blocked</span>
              )}
            </span>
            <Share part={allowed + blocked} whole={most} tone="fill-chart-1" />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Share({
  part,
  whole,
  tone,
}: {
  readonly part: number;
  readonly whole: number;
  readonly tone: string;
}) {
  return (
    <span className="flex shrink-0 items-center gap-3">
      <svg aria-hidden="true" width="72" height="6" className="hidden sm:block">
        <rect width="72" height="6" rx="3" className="fill-sunken" />
        <rect width={Math.max(3, (part / Math.max(1, whole)) * 72)} height="6" rx="3" className={tone} />
      </svg>
      <span className="w-14 text-right tabular-nums">{part.toLocaleString("en")}</span>
    </span>
  );
}

function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
