import ipaddr from "ipaddr.js";

/** An address in the one canonical form used by gate, mail, audit, dashboard and API. */
export interface CanonicalIp {
  /** IPv4 in dotted decimal; IPv6 compressed (RFC 5952). */
  readonly address: string;
  /** What counts as one client: the IPv4 address itself, or the IPv6 prefix ("2001:db8:1:2::/64"). */
  readonly network: string;
}

/** A block of addresses. `bits` counts leading bits. */
export interface Cidr {
  readonly address: string;
  readonly bits: number;
}

/** Privacy addresses change within a /64, so that one client would otherwise look like many (RFC 8981). */
export const DEFAULT_V6_PREFIX = 64;
/** IPv4 behind NAT64 (RFC 6052 §2.1). */
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Canonicalises an address once, at the edge. IPv4-mapped and NAT64 addresses become the IPv4 address they carry.
 * Accepts an IPv4 address in four decimal parts, or an IPv6 address with or without brackets; no port, no zone.
 *
 * @returns null for anything else.
 */
export function canonicalIp(text: string, options: { v6Prefix?: number } = {}): CanonicalIp | null {
  const address = parseAddress(text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text);
  if (address === null) return null;
  if (address instanceof ipaddr.IPv4) return { address: address.toString(), network: address.toString() };
  const prefix = options.v6Prefix ?? DEFAULT_V6_PREFIX;
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${String(prefix)}`);
  return { address: address.toRFC5952String(), network: `${network.toRFC5952String()}/${String(prefix)}` };
}

/**
 * Reads a block such as `10.0.0.0/8` or `2001:db8::/32`; a bare address is a block of one. Set host bits are refused,
 * because "10.1.2.3/8" leaves open which of the two was meant.
 */
export function parseCidr(text: string): Cidr | null {
  const [base = "", bitsText, extra] = text.split("/");
  const address = parseAddress(base);
  if (address === null || extra !== undefined) return null;
  const width = address instanceof ipaddr.IPv4 ? 32 : 128;
  if (bitsText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return null;
  const bits = bitsText === undefined ? width : Number(bitsText);
  // A mapped address has become IPv4: its prefix length would mean something else.
  if (bits > width || (bitsText !== undefined && base.includes(":") !== (width === 128))) return null;
  const kind = address instanceof ipaddr.IPv4 ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = kind.networkAddressFromCIDR(`${address.toString()}/${String(bits)}`);
  if (network.toString() !== address.toString()) return null;
  return { address: print(address), bits };
}

export function formatCidr(cidr: Cidr): string {
  return `${cidr.address}/${String(cidr.bits)}`;
}

/** Says whether a canonical address lies in a set of blocks. */
export type IpMatcher = (address: string) => boolean;

/**
 * Prepares blocks for being matched often. An unreadable address or block matches nothing.
 */
export function compileCidrs(cidrs: readonly string[]): IpMatcher {
  const blocks = cidrs.flatMap((text) => readBlock(text) ?? []);
  return (address) => {
    const parsed = parseAddress(address);
    if (parsed === null) return false;
    return blocks.some(({ base, bits }) => base.kind() === parsed.kind() && parsed.match(base, bits));
  };
}

/** Blocks that whole networks are held against. */
export interface NetworkSet {
  /** All of the network lies in one of the blocks. */
  contains(network: string): boolean;
  /** Some of it does. */
  overlaps(network: string): boolean;
}

/**
 * Prepares blocks for networks (`CanonicalIp.network`, or any block). What counts as one client is trusted, and distrusted,
 * as a whole: an address must not be admitted because its neighbour is. Unreadable texts match nothing.
 */
export function compileNetworks(cidrs: readonly string[]): NetworkSet {
  const blocks = cidrs.flatMap((text) => readBlock(text) ?? []);
  const some = (network: string, matches: (block: Block, other: Block) => boolean): boolean => {
    const other = readBlock(network);
    return other !== null && blocks.some((block) => isSameKind(block, other) && matches(block, other));
  };
  return {
    contains: (network) =>
      some(network, (block, other) => block.bits <= other.bits && other.base.match(block.base, block.bits)),
    overlaps: (network) =>
      some(network, (block, other) => other.base.match(block.base, Math.min(block.bits, other.bits))),
  };
}

interface Block {
  readonly base: Address;
  readonly bits: number;
}

function readBlock(text: string): Block | null {
  const cidr = parseCidr(text);
  const base = cidr === null ? null : parseAddress(cidr.address);
  return cidr === null || base === null ? null : { base, bits: cidr.bits };
}

function isSameKind(one: Block, other: Block): boolean {
  return one.base.kind() === other.base.kind();
}

/** Whether every address of one block lies in one of the others. Blocks that cover it only together are not counted. */
export function isWithinCidrs(text: string, cidrs: readonly string[]): boolean {
  const block = parseCidr(text);
  if (block === null) return false;
  const wide = cidrs.filter((outer) => (parseCidr(outer)?.bits ?? Infinity) <= block.bits);
  return compileCidrs(wide)(block.address);
}

function parseAddress(text: string): Address | null {
  // ipaddr.js also reads octal, hexadecimal and short forms of IPv4: one spelling is enough here.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (address.match(NAT64)) return ipaddr.IPv4.parse(address.toByteArray().slice(12).join("."));
  return address;
}

function print(address: Address): string {
  return address instanceof ipaddr.IPv4 ? address.toString() : address.toRFC5952String();
}
