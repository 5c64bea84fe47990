/** One harmless request that shows whether a vendor accepts a key: it reads, costs nothing and changes nothing. */
export interface Probe {
  readonly method: "GET" | "POST";
  /** Below the integration's upstream, query included. */
  readonly path: string;
  /** Header fields that the vendor insists on. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses by which the vendor says "not this key", where they are not the usual 401 and 403. */
  readonly refusedWith?: readonly number[];
  /** The vendor answers 200 to everything and says in the JSON body's `ok` what it means. */
  readonly saysOk?: true;
}

/** By slug of the catalogue entry. What has no such request is not here. */
export const PROBES: Readonly<Record<string, Probe>> = {
  openai: { method: "GET", path: "/v1/models" },
  anthropic: { method: "GET", path: "/v1/models?limit=1", headers: { "anthropic-version": "2023-06-01" } },
  stripe: { method: "GET", path: "/v1/balance" },
  resend: { method: "GET", path: "/domains", refusedWith: [400, 401, 403] },
  cloudflare: { method: "GET", path: "/user/tokens/verify", refusedWith: [400, 401, 403] },
  github: { method: "GET", path: "/rate_limit" },
  google: { method: "GET", path: "/v1beta/models?pageSize=1", refusedWith: [400, 401, 403] },
  elevenlabs: { method: "GET", path: "/v1/user" },
  slack: { method: "POST", path: "/api/auth.test", saysOk: true },
  twilio: { method: "GET", path: "/2010-04-01/Accounts.json?PageSize=1" },
  sendgrid: { method: "GET", path: "/v3/scopes" },
  grafana: { method: "GET", path: "/api/org" },
};

export const USUAL_REFUSALS: readonly number[] = [401, 403];

export function probeOf(catalogue: string): Probe | null {
  return Object.hasOwn(PROBES, catalogue) ? (PROBES[catalogue] ?? null) : null;
}
