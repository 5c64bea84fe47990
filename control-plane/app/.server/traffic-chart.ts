import type { BlockReason } from "@relaykey/core/block-reasons";
import { isBlockReason } from "@relaykey/core/block-reasons";
import type { TrafficSlice } from "@relaykey/db/queries/traffic-counts";
import { bucketsOf } from "../../service/time-range.ts";
import type { TimeRange } from "../../service/time-range.ts";
import type { Bar, Series } from "../components/histogram.tsx";

/** What a refusal is about, in the order of the stack. */
const SERIES = [
  { id: "allowed", label: "Allowed", tone: 1 },
  { id: "scope", label: "Outside scope", tone: 2 },
  { id: "address", label: "Address", tone: 3 },
  { id: "key", label: "Key not valid", tone: 4 },
  { id: "limits", label: "Limits", tone: 5 },
  { id: "faults", label: "Faults", tone: 6 },
] as const satisfies readonly (Series & { readonly id: string })[];

type SeriesId = (typeof SERIES)[number]["id"];

const SERIES_OF: Record<BlockReason, SeriesId> = {
  token_missing: "key",
  token_malformed: "key",
  token_forged: "key",
  token_ambiguous: "key",
  token_unknown: "key",
  token_revoked: "key",
  key_frozen: "key",
  token_expired: "key",
  token_not_yet_valid: "key",
  integration_unknown: "scope",
  integration_disabled: "key",
  method_invalid: "scope",
  path_ambiguous: "scope",
  scope_path: "scope",
  scope_method: "scope",
  scope_query: "scope",
  client_ip_unknown: "faults",
  ip_not_allowed: "address",
  ip_unconfirmed: "address",
  ip_unconfirmable: "address",
  rate_limited: "limits",
  concurrency_limited: "limits",
  uses_exhausted: "limits",
  body_too_large: "limits",
  no_decision: "faults",
  secret_unavailable: "faults",
  custody_key_refused: "faults",
  custody_key_unreachable: "faults",
  upstream_not_allowed: "faults",
  upstream_unreachable: "faults",
  upstream_timeout: "faults",
  upstream_encoding: "faults",
  internal_error: "faults",
};

export interface TrafficChart {
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
  /** How long a bar is, in words. */
  readonly per: string;
  readonly allowed: number;
  readonly blocked: number;
  /** The reasons of the blocked ones, the most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly requests: number }[];
}

/**
 * @param linkTo where the rows of a piece of time are; both ends inclusive.
 */
export function drawTraffic(
  slices: readonly TrafficSlice[],
  range: TimeRange,
  linkTo: (from: Date, to: Date) => string,
): TrafficChart {
  const counts = Array.from({ length: bucketsOf(range) }, () => SERIES.map(() => 0));
  const reasons = new Map<string, number>();
  let allowed = 0;
  let blocked = 0;
  for (const { bucket, decision, reason, requests } of slices) {
    if (decision === "allowed") allowed += requests;
    else blocked += requests;
    if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + requests);
    const row = counts[bucket];
    const place = SERIES.findIndex(({ id }) => id === seriesOf(decision, reason));
    if (row !== undefined) row[place] = (row[place] ?? 0) + requests;
  }
  const { from, bucketMs } = range;
  return {
    series: SERIES.map(({ label, tone }) => ({ label, tone })),
    bars: counts.map((row, index) => {
      const start = from.getTime() + index * bucketMs;
      return {
        label: nameMoment(new Date(start), bucketMs),
        to: linkTo(new Date(start), new Date(start + bucketMs - 1)),
        counts: row,
      };
    }),
    per: nameLength(bucketMs),
    allowed,
    blocked,
    reasons: [...reasons]
      .map(([reason, requests]) => ({ reason, requests }))
      .sort((left, right) => right.requests - left.requests),
  };
}

function seriesOf(decision: TrafficSlice["decision"], reason: string | null): SeriesId {
  if (decision === "allowed") return "allowed";
  return reason !== null && isBlockReason(reason) ? SERIES_OF[reason] : "faults";
}

const DAY_MS = 86_400_000;

const UNITS = [
  ["day", DAY_MS],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** A length of time as one says it after "per". */
function nameLength(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? UNITS[3];
  const count = ms / size;
  return count === 1 ? unit : `${String(count)} ${unit}s`;
}

/** As exact as the pieces are. */
function nameMoment(at: Date, bucketMs: number): string {
  const iso = at.toISOString();
  if (bucketMs >= DAY_MS) return iso.slice(0, 10);
  return `${iso.slice(5, 10)} ${iso.slice(11, bucketMs < 60_000 ? 19 : 16)}`;
}
