import { Link } from "@remix-run/react";
import { useId } from "react";
import type { KeyboardEvent } from "react";
import { useBrush } from "./brush.ts";

/** One kind of what is counted. `tone` is one of the palette's chart colours. */
export interface Series {
  readonly label: string;
  readonly tone: 1 | 2 | 3 | 4 | 5 | 6;
}

/** One piece of time: its name, where its rows are, and a count for each series. */
export interface Bar {
  readonly label: string;
  readonly to: string;
  readonly counts: readonly number[];
}

const FILLS = {
  1: "fill-chart-1",
  2: "fill-chart-2",
  3: "fill-chart-3",
  4: "fill-chart-4",
  5: "fill-chart-5",
  6: "fill-chart-6",
} as const;
const GROUNDS = {
  1: "bg-chart-1",
  2: "bg-chart-2",
  3: "bg-chart-3",
  4: "bg-chart-4",
  5: "bg-chart-5",
  6: "bg-chart-6",
} as const;

const HEIGHT = 100;
const WIDTH = 10;
const GAP = 2;

/**
 * Counts over time as stacked bars, each a link to its rows; several are chosen by dragging over them, or with Shift and the
 * arrow keys. The same numbers, and the same links, are in the table below it.
 */
export function Histogram(props: {
  readonly label: string;
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
  /** How long a bar is, in words. */
  readonly per: string;
}) {
  const id = useId();
  const { bars, series } = props;
  const brush = useBrush(bars);
  const totals = bars.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
  const most = Math.max(0, ...totals);
  const top = roundUp(most);
  const middle = bars[Math.floor(bars.length / 2)];
  return (
    <figure aria-labelledby={id}>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1 text-xs text-muted">
        <figcaption id={id} className="sr-only">
          {props.label}
        </figcaption>
        <Legend series={series} bars={bars} />
        <span aria-live="polite" className="tabular-nums">
          {brush.selection === null
            ? `requests per ${props.per}`
            : chosenWords(bars, totals, brush.selection)}
        </span>
      </div>
      <div className="mt-3 flex gap-2">
        <Scale top={top} />
        <div className="min-w-0 flex-1">
          <div className="relative h-40">
            <svg
              role="group"
              aria-label="Bars. Arrow keys go from one to the next; with Shift they choose several."
              viewBox={`0 0 ${String(bars.length * WIDTH)} ${String(HEIGHT)}`}
              preserveAspectRatio="none"
              className="block h-full w-full touch-pan-y select-none"
              {...brush.surface}
            >
              {[0, HEIGHT / 2, HEIGHT].map((y) => (
                <line
                  key={y}
                  x1="0"
                  x2={bars.length * WIDTH}
                  y1={y}
                  y2={y}
                  className={y === HEIGHT ? "stroke-edge" : "stroke-line"}
                  vectorEffect="non-scaling-stroke"
                />
              ))}
              {brush.selection !== null && (
                <rect
                  data-brushed
                  x={brush.selection.first * WIDTH}
                  y="0"
                  width={(brush.selection.last - brush.selection.first + 1) * WIDTH}
                  height={HEIGHT}
                  className="fill-accent/15 stroke-accent"
                  vectorEffect="non-scaling-stroke"
                />
              )}
              {bars.map((bar, index) => (
                <Column
                  key={bar.label}
                  bar={bar}
                  series={series}
                  top={top}
                  x={index * WIDTH}
                  isFocusable={index === brush.focusable}
                  onKeyDown={(event) => {
                    brush.onKeyDown(event, index);
                  }}
                />
              ))}
            </svg>
            {most === 0 && (
              <p className="pointer-events-none absolute inset-0 flex items-center justify-center text-sm text-muted">
                No requests in this time
              </p>
            )}
          </div>
          <div aria-hidden="true" className="mt-1 flex justify-between text-xs text-muted tabular-nums">
            <span>{bars[0]?.label}</span>
            <span className="hidden sm:inline">{middle?.label}</span>
            <span>{bars.at(-1)?.label}</span>
          </div>
        </div>
      </div>
      <Numbers {...props} />
    </figure>
  );
}

/** Steps of a scale whose half is a round number as well. */
const ROUND = [1, 2, 4, 6, 8, 10];

/** The least round number that is not less: what the scale ends at. */
function roundUp(count: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return magnitude * (ROUND.find((step) => step * magnitude >= count) ?? 10);
}

/** How many the lines behind the bars stand for. */
function Scale({ top }: { readonly top: number }) {
  return (
    <div
      aria-hidden="true"
      className="-my-2 flex h-44 min-w-6 flex-col justify-between text-right text-xs leading-4 text-muted tabular-nums"
    >
      <span>{top.toLocaleString("en")}</span>
      {/* A single request has no half. */}
      <span>{top === 1 ? "" : (top / 2).toLocaleString("en")}</span>
      <span>0</span>
    </div>
  );
}

function chosenWords(
  bars: readonly Bar[],
  totals: readonly number[],
  { first, last }: { readonly first: number; readonly last: number },
): string {
  const requests = totals.slice(first, last + 1).reduce((sum, total) => sum + total, 0);
  const end = bars[last + 1]?.label ?? "now";
  return `${bars[first]?.label ?? ""} – ${end} · ${requests.toLocaleString("en")} requests`;
}

function Legend({ series, bars }: { readonly series: readonly Series[]; readonly bars: readonly Bar[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1">
      {series.map(({ label, tone }, index) => {
        const total = bars.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0);
        if (total === 0 && index > 0) return null;
        return (
          <li key={label} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2.5 rounded-sm ${GROUNDS[tone]}`} />
            {label} <span className="tabular-nums">{total.toLocaleString("en")}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** The parts of a bar, each on top of the one before. */
function stack(bar: Bar, series: readonly Series[], top: number) {
  let y = HEIGHT;
  return series.map(({ label, tone }, index) => {
    const count = bar.counts[index] ?? 0;
    // What is there is seen, however little it is.
    const height = count === 0 ? 0 : Math.max(1.5, (count / top) * HEIGHT);
    y -= height;
    return { label, tone, count, height, y: Math.max(0, y) };
  });
}

function Column(props: {
  readonly bar: Bar;
  readonly series: readonly Series[];
  readonly top: number;
  readonly x: number;
  readonly isFocusable: boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}) {
  const { bar, series, top, x } = props;
  const parts = stack(bar, series, top);
  const spoken = parts
    .filter(({ count }) => count > 0)
    .map(({ label, count }) => `${label} ${count.toLocaleString("en")}`);
  const words = [bar.label, ...(spoken.length === 0 ? ["no requests"] : spoken)];
  return (
    <Link
      to={bar.to}
      draggable={false}
      tabIndex={props.isFocusable ? 0 : -1}
      aria-label={words.join(", ")}
      onKeyDown={props.onKeyDown}
      className="group outline-none"
    >
      <title>{words.join("\n")}</title>
      <rect
        x={x}
        y="0"
        width={WIDTH}
        height={HEIGHT}
        vectorEffect="non-scaling-stroke"
        className="fill-transparent stroke-2 group-hover:fill-sunken group-focus-visible:stroke-accent"
      />
      {parts.map(({ label, tone, height, y: above }) => (
        <rect
          key={label}
          x={x + GAP / 2}
          y={above}
          width={WIDTH - GAP}
          height={height}
          className={FILLS[tone]}
        />
      ))}
    </Link>
  );
}

function Numbers({
  label,
  series,
  bars,
}: {
  readonly label: string;
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
}) {
  const used = bars.filter(({ counts }) => counts.some((count) => count > 0));
  return (
    <details className="mt-2 text-sm">
      <summary className="inline-block cursor-pointer rounded text-xs text-muted hover:text-ink hover:underline">
        Show as a table
      </summary>
      <div
        className="mt-2 max-h-72 overflow-auto"
        tabIndex={0}
        role="region"
        aria-label={`${label}, as a table`}
      >
        <table className="w-full text-left text-xs">
          <caption className="sr-only">{label}</caption>
          <thead className="text-muted">
            <tr>
              <th scope="col" className="py-1 pr-4 font-medium">
                From (UTC)
              </th>
              {series.map((one) => (
                <th key={one.label} scope="col" className="py-1 pr-4 text-right font-medium">
                  {one.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="tabular-nums">
            {used.map((bar) => (
              <tr key={bar.label}>
                <th scope="row" className="py-1 pr-4 font-normal whitespace-nowrap">
                  <Link to={bar.to} className="text-accent underline">
                    {bar.label}
                  </Link>
                </th>
                {series.map((one, index) => (
                  <td key={one.label} className="py-1 pr-4 text-right">
                    {bar.counts[index] ?? 0}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {used.length === 0 && <p className="py-2 text-muted">No requests.</p>}
      </div>
    </details>
  );
}
