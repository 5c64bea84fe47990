import type { NetworkMap as Shown } from "../../.server/network-map.ts";

const RADIUS = 6;

/**
 * In which countries networks are. The land is a picture that the style sheet brings, in the colours of the page; the dots are beside it in
 * words. Nothing is asked of another host.
 */
export function NetworkMap({ map }: { readonly map: Shown }) {
  const { width, height, countries, unplaced } = map;
  return (
    <figure className="border-b border-line p-4 sm:flex sm:gap-6 sm:p-6">
      <div aria-hidden="true" className="relative min-w-0 max-w-3xl flex-1">
        <div className="world-map absolute inset-0" />
        <svg viewBox={`0 0 ${String(width)} ${String(height)}`} className="relative block w-full">
          {countries.map(({ country, at, trusted, pending }) =>
            at === null ? null : (
              <circle
                key={country}
                cx={at.x}
                cy={at.y}
                r={RADIUS + 2 * Math.min(5, Math.log2(trusted + pending))}
                className={`stroke-surface stroke-2 ${pending > 0 ? "fill-chart-3" : "fill-chart-1"}`}
              >
                <title>{`${country}: ${countWords(trusted, pending)}`}</title>
              </circle>
            ),
          )}
        </svg>
      </div>
      <figcaption className="mt-4 shrink-0 text-sm sm:mt-0 sm:w-48">
        <span className="text-xs text-muted">By country</span>
        <ul className="mt-1 flex flex-col gap-1.5">
          {countries.map(({ country, trusted, pending }) => (
            <li key={country} className="flex items-baseline gap-2">
              <span
                aria-hidden="true"
                className={`size-2.5 shrink-0 rounded-full ${pending > 0 ? "bg-chart-3" : "bg-chart-1"}`}
              />
              <span className="min-w-0">
                {country} <span className="text-xs text-muted">{countWords(trusted, pending)}</span>
              </span>
            </li>
          ))}
          {unplaced > 0 && <li className="text-xs text-muted">{unplaced} without a place</li>}
        </ul>
      </figcaption>
    </figure>
  );
}

function countWords(trusted: number, pending: number): string {
  return [
    trusted === 0 ? null : `${String(trusted)} trusted`,
    pending === 0 ? null : `${String(pending)} waiting`,
  ]
    .filter((part) => part !== null)
    .join(", ");
}
