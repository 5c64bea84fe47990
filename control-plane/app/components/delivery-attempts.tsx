import type { DeliveryAttempt } from "@relaykey/db/schema/notices";
import { Ago } from "./moment.tsx";

/** How often it was tried; opened, what became of each attempt, the latest first. */
export function DeliveryAttempts({
  count,
  log,
}: Readonly<{ count: number; log: readonly DeliveryAttempt[] }>) {
  if (log.length === 0) return String(count);
  return (
    <details>
      <summary>{count}</summary>
      <ol className="mt-1 flex flex-col gap-1 text-xs">
        {log.map(({ at, status, error, durationMs }) => (
          <li key={at}>
            <Ago iso={at} />: {status ?? error} in {durationMs} ms
          </li>
        ))}
      </ol>
    </details>
  );
}
