import { concatBytes } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";

export const HASH_BYTES = 32;

/** RFC 6962 §2.1: a node can never be taken for a leaf. */
const NODE = Uint8Array.of(0x01);

/** The levels of a tree, the leaf hashes first, the root alone last. */
export type MerkleTree = readonly (readonly Bytes[])[];

/**
 * Builds the Merkle tree of leaf hashes (RFC 6962 §2.1). Pairing level by level, where an odd last one goes up as it is,
 * gives the same tree as the RFC's splitting at powers of two.
 *
 * @throws RangeError when there are none.
 */
export async function merkleTree(leaves: readonly Bytes[]): Promise<MerkleTree> {
  if (leaves.length === 0) throw new RangeError("A tree has at least one leaf.");
  const levels: (readonly Bytes[])[] = [leaves];
  for (let level = leaves; level.length > 1;) {
    level = await nextLevel(level);
    levels.push(level);
  }
  return levels;
}

/** The Merkle tree hash of leaf hashes. @throws RangeError when there are none. */
export async function merkleRoot(leaves: readonly Bytes[]): Promise<Bytes> {
  const [root] = (await merkleTree(leaves)).at(-1) ?? [];
  return root ?? new Uint8Array();
}

/** The hashes that lead from a leaf to the root, from the leaf upwards (RFC 6962 §2.1.1). */
export function inclusionProof(tree: MerkleTree, position: number): Bytes[] {
  return tree.flatMap((level, height) => {
    const index = Math.floor(position / 2 ** height);
    return level[index % 2 === 0 ? index + 1 : index - 1] ?? [];
  });
}

/**
 * The root that a proof leads to (RFC 9162 §2.1.3.2).
 *
 * @returns null when the proof does not have the length that follows from the position and the count.
 */
export async function rootOfProof(
  leaf: Bytes,
  place: { readonly position: number; readonly count: number },
  proof: readonly Bytes[],
): Promise<Bytes | null> {
  let { position } = place;
  let last = place.count - 1;
  if (position < 0 || position > last) return null;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return null;
    // A last one without a neighbour goes up as it is.
    while (position % 2 === 0 && position === last) {
      position = Math.floor(position / 2);
      last = Math.floor(last / 2);
      if (last === 0) return null;
    }
    hash = position % 2 === 1 ? await hashNode(sibling, hash) : await hashNode(hash, sibling);
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  while (last > 0 && position === last && position % 2 === 0) {
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}

/** Cuts concatenated hashes apart; null when a part is left over. */
export function splitHashes(bytes: Bytes): Bytes[] | null {
  if (bytes.length % HASH_BYTES !== 0) return null;
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

async function nextLevel(level: readonly Bytes[]): Promise<Bytes[]> {
  const nodes: Promise<Bytes>[] = [];
  for (let index = 0; index + 1 < level.length; index += 2) {
    nodes.push(hashNode(level[index] as Bytes, level[index + 1] as Bytes));
  }
  const next = await Promise.all(nodes);
  const odd = level.length % 2 === 1 ? level.at(-1) : undefined;
  return odd === undefined ? next : [...next, odd];
}

async function hashNode(left: Bytes, right: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concatBytes(NODE, left, right)));
}
