import type { Place } from "@relaykey/core/rpc";

const MAX_TEXT = 128;
/** ISO 3166-1 alpha-2, and the two the edge adds: T1 (Tor) and XX (unknown). */
const COUNTRY = /^[A-Z][A-Z0-9]$/;

/** Where a request comes from, as far as the edge tells (`request.cf`). */
export function readPlace(cf: unknown): Place {
  const facts = (cf ?? {}) as Readonly<Record<string, unknown>>;
  const { country, asn } = facts;
  return {
    country: typeof country === "string" && COUNTRY.test(country) && country !== "XX" ? country : null,
    region: line(facts["region"]),
    city: line(facts["city"]),
    asn: typeof asn === "number" && Number.isInteger(asn) && asn > 0 ? asn : null,
    network: line(facts["asOrganization"]),
  };
}

function line(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_TEXT) : null;
}
