import { USUAL_REFUSALS, probeOf } from "@relaykey/core/catalogue/probes";
import type { Probe } from "@relaykey/core/catalogue/probes";
import { placeCredential } from "@relaykey/core/credential";
import { openSecret, unwrapEnvelope, vendorKeyContext } from "@relaykey/core/envelope";
import type { Keyring } from "@relaykey/core/envelope";
import type { ProbeOrder, ProbeResult, ProbeVerdict } from "@relaykey/core/probe";
import type { Secret } from "@relaykey/core/secret";
import { upstreamBase } from "./upstream-base.ts";

const DEADLINE_MS = 10_000;
/** Of an answer that says in its body what it means, so much is read. */
const MAX_BODY_BYTES = 4_096;

interface ProbeConfig {
  readonly keyring: Keyring;
  readonly development: boolean;
  readonly ownZones: readonly string[];
}

/**
 * Tries a sealed vendor key with the one request that the catalogue names, under the rules that hold for every request to
 * an upstream. Whoever orders it learns whether the key is accepted, the class of the status and how long it took.
 */
export async function probe(order: ProbeOrder, config: ProbeConfig): Promise<ProbeResult> {
  const { integration } = order;
  const spec = probeOf(order.catalogue);
  if (spec === null) return without("no_probe");
  const base = upstreamBase(integration, config);
  if (base === null) return without("not_allowed");
  const secret = await open(order, config.keyring);
  if (secret === null) return without("unreadable");

  const headers = new Headers({ accept: "application/json", "user-agent": "RelayKey", ...spec.headers });
  const placed = placeCredential(integration.credential, secret);
  if (placed.header !== undefined) headers.set(placed.header[0], placed.header[1]);
  const [path = "", query = ""] = spec.path.split("?");
  const search = [query, placed.query?.join("=") ?? ""].filter((part) => part !== "").join("&");
  const url = `${base}${path}${search === "" ? "" : `?${search}`}`;
  if (new URL(url).href !== url) return without("not_allowed");
  return ask(url, spec, headers);
}

async function ask(url: string, spec: Probe, headers: Headers): Promise<ProbeResult> {
  const began = Date.now();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const { method } = spec;
    const response = await fetch(url, { method, headers, redirect: "manual", cache: "no-store", signal });
    const verdict = await judge(response, spec);
    return { verdict, statusClass: Math.floor(response.status / 100), latencyMs: Date.now() - began };
  } catch {
    const verdict = signal.aborted ? "timeout" : "unreachable";
    return { verdict, statusClass: null, latencyMs: Date.now() - began };
  }
}

async function judge(response: Response, spec: Probe): Promise<ProbeVerdict> {
  const says = response.ok && spec.saysOk === true ? await bodySaysOk(response) : null;
  if (response.body?.locked === false) await response.body.cancel();
  if ((spec.refusedWith ?? USUAL_REFUSALS).includes(response.status) || says === false) return "refused";
  if (response.status === 429) return "limited";
  return response.ok ? "accepted" : "unclear";
}

async function bodySaysOk(response: Response): Promise<boolean> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return false;
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; size < MAX_BODY_BYTES;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return /"ok"\s*:\s*true/.test(text);
}

/** An order that names another destination than the key was sealed for opens nothing. */
async function open({ organizationId, integration }: ProbeOrder, keyring: Keyring): Promise<Secret | null> {
  const context = vendorKeyContext(organizationId, integration);
  try {
    return await openSecret(await unwrapEnvelope(integration.secret.envelope, context, keyring));
  } catch {
    return null;
  }
}

function without(verdict: ProbeVerdict): ProbeResult {
  return { verdict, statusClass: null, latencyMs: 0 };
}
