import type { HolderNetworks, Place } from "@relaykey/core/rpc";
import { COUNTRIES, WORLD } from "./world.generated.ts";

const NAMES = new Intl.DisplayNames(["en"], { type: "region" });
/** What the edge calls the Tor network, which is in no country. */
const TOR = "T1";

/** The networks of one country. */
export interface CountryDot {
  readonly country: string;
  /** The middle of the country on the map: the edge tells no more. null: it is not on the map. */
  readonly at: { readonly x: number; readonly y: number } | null;
  readonly trusted: number;
  readonly pending: number;
}

/** Where a holder's networks are, country by country, those with the most first; null when the edge tells of none. */
export function mapNetworks({ trusted, pending }: HolderNetworks) {
  const places = [
    ...trusted.map(({ place }) => ({ country: place.country, isTrusted: true })),
    ...pending.map(({ request }) => ({ country: request.place.country, isTrusted: false })),
  ];
  const codes = [...new Set(places.map(({ country }) => country).filter((code) => code !== null))];
  if (codes.length === 0) return null;
  const countries = codes.map((code): CountryDot => {
    const own = places.filter(({ country }) => country === code);
    const [x, y] = COUNTRIES[code] ?? [];
    return {
      country: countryName(code),
      at: x === undefined || y === undefined ? null : { x, y },
      trusted: own.filter(({ isTrusted }) => isTrusted).length,
      pending: own.filter(({ isTrusted }) => !isTrusted).length,
    };
  });
  return {
    ...WORLD,
    countries: countries.sort((left, right) => total(right) - total(left)),
    unplaced: places.filter(({ country }) => country === null).length,
  };
}

export type NetworkMap = NonNullable<ReturnType<typeof mapNetworks>>;

/** "Berlin, Germany"; null where the edge tells nothing. */
export function placeWords({ country, region, city }: Place): string | null {
  const parts = [city, region === city ? null : region, country === null ? null : countryName(country)];
  const words = parts.filter((part) => part !== null).join(", ");
  return words === "" ? null : words;
}

/** "Deutsche Telekom (AS3320)"; null where the edge tells nothing. */
export function operatorWords({ asn, network }: Place): string | null {
  const words = [network, asn === null ? null : `(AS${String(asn)})`]
    .filter((part) => part !== null)
    .join(" ");
  return words === "" ? null : words;
}

function countryName(code: string): string {
  if (code === TOR) return "the Tor network";
  try {
    return NAMES.of(code) ?? code;
  } catch {
    // Of the right form, and no region.
    return code;
  }
}

function total({ trusted, pending }: CountryDot): number {
  return trusted + pending;
}
