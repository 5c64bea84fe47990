import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { Intake } from "./steps/intake.ts";

/** Response fields, besides `Location`, whose value is a URL that the SDK calls next with its key. */
const FURTHER_URLS = ["x-goog-upload-url"] as const;

/**
 * Makes URLs in response fields that lead back to the same upstream lead back to the proxy instead, so that a client
 * that follows them keeps using its RelayKey and stays within its scope. Any other URL is handed back as it is, and
 * nothing here follows it. Changes `headers`.
 */
export function relocate(headers: Headers, intake: Intake, snapshot: PolicySnapshot): void {
  const location = headers.get("location");
  if (location !== null) {
    const moved = pathAtProxy(location, intake, snapshot);
    if (moved !== null) headers.set("location", moved);
  }
  for (const name of FURTHER_URLS) {
    const moved = pathAtProxy(headers.get(name) ?? "", intake, snapshot);
    if (moved !== null) headers.set(name, `${intake.origin}${moved}`);
  }
}

/** Path, query and fragment under which the proxy serves a URL of the upstream; null when it serves it nowhere. */
function pathAtProxy(value: string, intake: Intake, { integration }: PolicySnapshot): string | null {
  if (value === "" || !intake.target.ok) return null;
  const { origin, basePath } = integration.upstream;
  // Without the query that was sent: the vendor key may stand in it, and a relative reference could repeat it.
  const called = `${origin}${basePath}${intake.target.target.path}`;
  if (!URL.canParse(value, called)) return null;
  const url = new URL(value, called);
  if (url.origin !== origin || url.username !== "" || url.password !== "") return null;
  const rest = url.href.slice(`${origin}${basePath}`.length);
  // "/v1" is not a prefix of "/v10": what follows the base path must be a boundary.
  if (!url.href.startsWith(`${origin}${basePath}`) || !/^(?:[/?#]|$)/.test(rest)) return null;
  return `${intake.mountPath}${rest}`;
}
