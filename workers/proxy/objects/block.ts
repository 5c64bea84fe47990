import { canonicalIp, formatCidr, parseCidr } from "@relaykey/core/ip";

/** @returns an IPv4 address, or a block, in the one form in which networks are written (core/ip); null for anything else. */
export function canonicalBlock(text: string, v6Prefix: number): string | null {
  const cidr = parseCidr(text);
  if (cidr === null) return null;
  if (!cidr.address.includes(":")) return cidr.bits === 32 ? cidr.address : formatCidr(cidr);
  return cidr.bits <= v6Prefix
    ? formatCidr(cidr)
    : (canonicalIp(cidr.address, { v6Prefix })?.network ?? null);
}
