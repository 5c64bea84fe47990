import { checkUpstream } from "@relaykey/core/integration";
import type { IntegrationSnapshot } from "@relaykey/core/integration";

/**
 * What every URL begins with that an integration's vendor key is sent to; null when it may not be sent there. Judged again
 * whenever a key is about to be sent: an address that was fine when it was stored may not be today. One that is spelled
 * otherwise than checked is refused: the envelope is opened for the spelling in the snapshot, and that is what is called.
 */
export function upstreamBase(
  { upstream: { origin, basePath } }: IntegrationSnapshot,
  options: { readonly development: boolean; readonly ownZones: readonly string[] },
): string | null {
  const checked = checkUpstream(`${origin}${basePath}`, options);
  return checked.ok && checked.origin === origin && checked.basePath === basePath
    ? `${origin}${basePath}`
    : null;
}
