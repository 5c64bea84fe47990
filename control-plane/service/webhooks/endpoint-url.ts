import { checkUpstream } from "@relaykey/core/integration";
import type { ServiceDependencies } from "../dependencies.ts";
import { invalid, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";

/**
 * Where webhooks may go: the proxy's rules for upstreams, and neither to the proxy nor to this control plane. A name that
 * resolves to a private address leads nowhere: the network that these calls leave by has no way there.
 *
 * @returns the URL as it is called.
 */
export function checkEndpointUrl(
  deps: Pick<ServiceDependencies, "development" | "proxyUrl" | "controlUrl">,
  url: string,
): Outcome<string> {
  const own = [deps.proxyUrl, deps.controlUrl].map((site) => new URL(site));
  const checked = checkUpstream(url, {
    development: deps.development,
    ownZones: own
      .map(({ hostname }) => hostname)
      .filter((host) => host.includes(".") && !/^[0-9.]+$/.test(host)),
  });
  if (!checked.ok) return invalid("url", checked.error.replaceAll("upstream", "endpoint"));
  if (own.some(({ port }) => isOwnLoopback(checked.origin, port)))
    return invalid("url", "The address must not be RelayKey's own.");
  return ok(`${checked.origin}${checked.basePath}`);
}

/** In the local edition our own sites are ports of this machine. */
function isOwnLoopback(origin: string, port: string): boolean {
  return (
    /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|$)/.test(origin) && new URL(origin).port === port
  );
}
