import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";
import { inclusionProof, merkleRoot, merkleTree, rootOfProof, splitHashes } from "./merkle.ts";

async function leaf(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.of(0, ...data)));
}

/** Inputs and roots of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test). */
const INPUTS = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

test("roots are those of RFC 6962's reference implementation", async () => {
  const leaves = await Promise.all(INPUTS.map((input) => leaf(fromHex(input) ?? new Uint8Array())));
  const roots = await Promise.all(ROOTS.map((_, index) => merkleRoot(leaves.slice(0, index + 1))));
  expect(roots.map(toHex)).toEqual(ROOTS);
  await expect(merkleRoot([])).rejects.toThrow(RangeError);
});

const trees = fc.integer({ min: 1, max: 70 }).chain((count) =>
  fc.record({
    leaves: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: count, maxLength: count }),
    position: fc.nat({ max: count - 1 }),
  }),
);

test("a proof leads from each leaf to the root, and from no other leaf, place or count", async () => {
  await fc.assert(
    fc.asyncProperty(
      trees,
      fc.nat({ max: 80 }),
      fc.nat({ max: 80 }),
      async ({ leaves, position }, place, size) => {
        const hashes = leaves.map((bytes) => new Uint8Array(bytes));
        const [own] = hashes.slice(position);
        if (own === undefined) throw new Error("no leaf");
        const root = toHex(await merkleRoot(hashes));
        const proof = inclusionProof(await merkleTree(hashes), position);
        const count = hashes.length;
        const through = async (hash: Bytes, at: { position: number; count: number }, path: Bytes[]) => {
          const reached = await rootOfProof(hash, at, path);
          return reached !== null && toHex(reached) === root;
        };
        expect(await through(own, { position, count }, proof)).toBe(true);
        const other = Uint8Array.from(own, (byte, index) => (index === 7 ? byte ^ 1 : byte));
        expect(await through(other, { position, count }, proof)).toBe(false);
        expect(await through(own, { position, count }, [...proof, own])).toBe(false);
        if (proof.length > 0) expect(await through(own, { position, count }, proof.slice(1))).toBe(false);
        if (place !== position && place < count && toHex(hashes[place] ?? own) !== toHex(own)) {
          expect(await through(own, { position: place, count }, proof)).toBe(false);
        }
        expect(await rootOfProof(own, { position: count + size, count }, proof)).toBeNull();
      },
    ),
    { numRuns: 300 },
  );
});

test("hashes come apart as they were put together; a rest is none", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
  expect(splitHashes(bytes)?.map(toHex)).toEqual([toHex(bytes.slice(0, 32)), toHex(bytes.slice(32))]);
  expect(splitHashes(bytes.slice(1))).toBeNull();
});
