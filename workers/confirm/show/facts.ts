import type {
  ConfirmationView,
  FreezableKey,
  PendingNetwork,
  Place,
  TrustedNetwork,
} from "@relaykey/core/rpc";
import { clientName } from "@relaykey/core/client-name";
import { oneLine } from "@relaykey/core/one-line";

/** A line of what mail and page tell of the blocked call. The values are foreign: one visible line each, not escaped. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** Set in a typeface that tells alike characters apart. */
  readonly technical?: true;
  /** Epoch ms: the value is this moment. */
  readonly at?: number;
}

const NAME_LENGTH = 80;
const PATH_LENGTH = 120;
const COUNTRIES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

export function factsOf(view: ConfirmationView): Fact[] {
  const { request, network, since, attempts } = view.pending;
  const address = oneLine(request.address, NAME_LENGTH);
  return [
    { label: "Address", value: address, technical: true },
    ...(network === address
      ? []
      : [{ label: "Its network", value: oneLine(network, 60), technical: true } as const]),
    ...whereFacts(request.place),
    { label: "Program", value: clientName(request.userAgent) },
    {
      label: "Call",
      value: oneLine(`${request.method} ${request.integration}:${request.path}`, PATH_LENGTH),
      technical: true,
    },
    { label: "First seen", value: "", at: since },
    ...(attempts > 1 ? [{ label: "Stopped calls", value: String(attempts) }] : []),
    {
      label: "Key",
      value: `${oneLine(view.keyName, NAME_LENGTH)} (${oneLine(view.keyDisplay, 40)})`,
    },
    { label: "Organization", value: oneLine(view.organizationName, NAME_LENGTH) },
  ];
}

const SOURCES = {
  first_use: "It was the first that was used",
  confirmed: "You confirmed it",
  approved: "An admin approved it",
} as const;

/** A network that the holder's keys may be used from; it is named beside these. */
export function factsOfTrusted({ place, firstSeen, lastSeen, source }: TrustedNetwork): Fact[] {
  return [
    ...whereFacts(place),
    { label: "First used", value: "", at: firstSeen },
    { label: "Last used", value: "", at: lastSeen },
    { label: "Why", value: SOURCES[source] },
  ];
}

/** A network that waits for the holder's word; it is named beside these. */
export function factsOfPending({ request, since, attempts }: PendingNetwork): Fact[] {
  return [
    ...whereFacts(request.place),
    { label: "Program", value: clientName(request.userAgent) },
    { label: "First seen", value: "", at: since },
    { label: "Stopped calls", value: String(attempts) },
  ];
}

function whereFacts(place: Place): Fact[] {
  const provider = networkName(place);
  return [
    { label: "Place", value: placeName(place) },
    ...(provider === null ? [] : [{ label: "Provider", value: provider }]),
  ];
}

/** How a key is called in a sentence. */
export function keyTitle({ keyName, keyDisplay }: Pick<FreezableKey, "keyName" | "keyDisplay">): string {
  return oneLine(keyName, 60) || oneLine(keyDisplay, 40);
}

function placeName({ city, region, country }: Place): string {
  const parts = [city, region === city ? null : region, country === null ? null : countryName(country)];
  const known = parts
    .flatMap((part) => (part === null ? [] : oneLine(part, 60)))
    .filter((part) => part !== "");
  return known.length === 0 ? "Not known" : known.join(", ");
}

function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (COUNTRIES.of(code) ?? code) : code;
}

function networkName({ asn, network }: Place): string | null {
  if (network === null && asn === null) return null;
  const name = oneLine(network ?? "", 60);
  if (asn === null) return name;
  return name === "" ? `AS${String(asn)}` : `${name} (AS${String(asn)})`;
}
