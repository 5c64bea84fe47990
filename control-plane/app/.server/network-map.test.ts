import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { HolderNetworks, Place } from "@relaykey/core/rpc";
import { mapNetworks, operatorWords, placeWords } from "./network-map.ts";
import { NetworkMap } from "../components/holders/network-map.tsx";

function place(country: string | null, more: Partial<Place> = {}): Place {
  return { country, region: null, city: null, asn: null, network: null, ...more };
}

function networks(trusted: readonly Place[], pending: readonly Place[] = []): HolderNetworks {
  return {
    trusted: trusted.map((where, index) => ({
      network: `203.0.113.${String(index)}`,
      source: "confirmed",
      firstSeen: 0,
      lastSeen: 0,
      place: where,
    })),
    pending: pending.map((where, index) => ({
      id: String(index),
      network: `198.51.100.${String(index)}`,
      keyId: "k",
      request: {
        address: "198.51.100.1",
        method: "GET",
        integration: "openai",
        path: "/",
        userAgent: null,
        place: where,
      },
      since: 0,
      lastSeen: 0,
      attempts: 1,
      expiresAt: 0,
      mailed: true,
    })),
    firstUse: false,
    storm: null,
  };
}

test("networks are counted by country, those with the most first, each on the map where its country is", () => {
  const map = mapNetworks(
    networks([place("DE"), place("US"), place("DE"), place(null)], [place("US"), place("US")]),
  );
  expect(map?.countries.map(({ country, trusted, pending }) => [country, trusted, pending])).toEqual([
    ["United States", 1, 2],
    ["Germany", 2, 0],
  ]);
  expect(map?.unplaced).toBe(1);
  const [america, germany] = map?.countries ?? [];
  // West is left.
  expect(america?.at?.x).toBeLessThan(germany?.at?.x ?? 0);
});

test("small countries are on the map, and southern ones below northern ones", () => {
  for (const code of ["SG", "HK", "MT", "LU", "BH", "MU"]) {
    expect(mapNetworks(networks([place(code)]))?.countries[0]?.at).not.toBeNull();
  }
  const y = (code: string) => mapNetworks(networks([place(code)]))?.countries[0]?.at?.y ?? NaN;
  expect(y("NO")).toBeLessThan(y("IT"));
  expect(y("IT")).toBeLessThan(y("ZA"));
  // The mainland, not the reefs that go by its number.
  expect(y("ID")).toBeLessThan(y("AU") - 20);
});

test("what is no country is named and not drawn; without places there is no map", () => {
  expect(mapNetworks(networks([place("T1")]))?.countries).toEqual([
    { country: "the Tor network", at: null, trusted: 1, pending: 0 },
  ]);
  expect(mapNetworks(networks([place("A1")]))?.countries[0]).toMatchObject({ country: "A1", at: null });
  expect(mapNetworks(networks([place(null)]))).toBeNull();
  expect(mapNetworks(networks([]))).toBeNull();
});

test("a place and an operator are put in words", () => {
  const berlin = place("DE", { city: "Berlin", region: "Berlin", asn: 3320, network: "Deutsche Telekom" });
  expect(placeWords(berlin)).toBe("Berlin, Germany");
  expect(operatorWords(berlin)).toBe("Deutsche Telekom (AS3320)");
  expect(placeWords(place(null))).toBeNull();
  expect(operatorWords(place("DE"))).toBeNull();
});

test("the map says in words what it draws, and draws nothing that is not there", () => {
  const map = mapNetworks(networks([place("DE"), place("T1")], [place("US")]));
  if (map === null) throw new Error("There is no map.");
  const markup = renderToStaticMarkup(createElement(NetworkMap, { map }));
  expect(markup.match(/<circle/g)).toHaveLength(2);
  const words = markup.slice(markup.indexOf("<figcaption"));
  for (const word of ["Germany", "United States", "the Tor network", "1 waiting"])
    expect(words).toContain(word);
  // No address of another host, and no style that the page's policy refuses.
  expect(markup).not.toMatch(/https?:|style=/);
});
