import { EDGE_MEMORY_SECONDS } from "@relaykey/core/enforcement";
import { compilePolicy } from "@relaykey/core/judge";
import type { CompiledPolicy } from "@relaykey/core/judge";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import { decodeSnapshot } from "@relaykey/core/snapshot";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { BoundedMap } from "./bounded-map.ts";
import { within } from "./deadline.ts";

/** A key as this isolate knows it: decoded once, its scope compiled once. */
export interface KnownKey extends CompiledPolicy {
  readonly snapshot: PolicySnapshot;
  /** When this copy was read (isolate clock, epoch ms); bounds the age of keys enforced at the edge. */
  readAt: number;
  /** Filled by the inject step: looks for the vendor key in answers. */
  matcher?: { readonly matcher: SecretMatcher; readonly until: number };
}

/** Keys one isolate remembers; a snapshot is about 2 KB. */
const CAPACITY = 5_000;
/** A cache that is slower than this is not a cache: the holder object is asked instead. */
const KV_DEADLINE_MS = 500;
const EDGE_MEMORY_MS = EDGE_MEMORY_SECONDS * 1_000;

/** KV name of a key's snapshot. */
export function policyCacheKey(tokenHash: string): string {
  return `policy/${tokenHash}`;
}

/**
 * What this isolate knows of keys: memory first, then the KV cache. Both may be old; neither decides anything alone
 * (except for keys that opted into enforcement at the edge).
 */
export class Directory {
  readonly #known = new BoundedMap<string, KnownKey>(CAPACITY);
  readonly #kv: KVNamespace;
  readonly #now: () => number;

  constructor(kv: KVNamespace, now: () => number = Date.now) {
    this.#kv = kv;
    this.#now = now;
  }

  /** The newest version in memory. */
  known(tokenHash: string): KnownKey | null {
    return this.#known.get(tokenHash) ?? null;
  }

  /** Memory, else KV. A KV that fails, is slow, or holds something unreadable counts as empty. */
  async find(tokenHash: string): Promise<KnownKey | null> {
    const known = this.known(tokenHash);
    if (known !== null && !this.#isStaleAtTheEdge(known)) return known;
    try {
      const text = await within(this.#kv.get(policyCacheKey(tokenHash)), KV_DEADLINE_MS, "KV");
      if (text === null) return null;
      return this.remember(tokenHash, text);
    } catch {
      return known !== null && known.snapshot.enforcement === "lease" ? known : null;
    }
  }

  /**
   * Keeps a snapshot unless a newer version is known: answers can overtake each other, and a version that was left
   * must never come back.
   *
   * @throws TypeError when the text cannot be read or belongs to another token.
   */
  remember(tokenHash: string, text: string): KnownKey {
    const decoded = decodeSnapshot(text);
    if (!decoded.ok) throw new TypeError(`Unreadable policy snapshot: ${decoded.error}`);
    const { snapshot } = decoded;
    if (snapshot.tokenHash !== tokenHash) throw new TypeError("The policy snapshot is of another token.");
    const known = this.known(tokenHash);
    if (known !== null && known.snapshot.version >= snapshot.version) {
      if (known.snapshot.version === snapshot.version) known.readAt = this.#now();
      return known;
    }
    const entry: KnownKey = { snapshot, ...compilePolicy(snapshot), readAt: this.#now() };
    this.#known.set(tokenHash, entry);
    return entry;
  }

  #isStaleAtTheEdge(known: KnownKey): boolean {
    return known.snapshot.enforcement === "edge" && this.#now() - known.readAt > EDGE_MEMORY_MS;
  }
}
