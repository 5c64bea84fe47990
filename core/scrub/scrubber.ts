import { concatBytes, fromUtf8, utf8 } from "../bytes.ts";
import type { MatchState, SecretMatcher } from "./matcher.ts";

/** Stands where a secret stood. Harmless inside a JSON string, a header field, a URL, HTML. */
export const REDACTED = "[relaykey:redacted]";

/** Takes a secret out of a stream of bytes. */
export interface Scrubber {
  /**
   * @returns what can be passed on: everything but the longest tail that is a proper prefix of a possible occurrence.
   * May be `chunk` itself or share its memory, and may be empty (which a byte stream refuses to enqueue).
   */
  push(chunk: Uint8Array): Uint8Array;
  /** The stream is over: what was held back was no occurrence. */
  end(): Uint8Array;
}

/** Covered by occurrences, counted from the first byte that is neither passed on nor taken out. */
interface Cover {
  readonly start: number;
  readonly end: number;
}

const MARKER = utf8(REDACTED);
const ASTERISK = 0x2a;
const NOTHING = new Uint8Array(0);

/** Where a stream is: the automaton's state, and where each of its groups began. */
interface Walk {
  state: MatchState;
  /** May be longer than the state has groups. */
  readonly began: number[];
  readonly covers: Cover[];
}

/**
 * Every byte that belongs to an occurrence is taken out. Occurrences that overlap make one gap, each gap gets one
 * marker. So nothing is left of the secret, whichever of two overlapping occurrences is seen first.
 *
 * @param options.keepLength a gap is filled to its own length, for a body whose length was announced: the marker where
 * it fits, then asterisks.
 */
export function createScrubber(
  matcher: SecretMatcher,
  { keepLength = false }: { readonly keepLength?: boolean } = {},
): Scrubber {
  const walk: Walk = { state: matcher.root, began: [], covers: [] };
  let held: Uint8Array = NOTHING;

  /** @param safe what begins before this position can no longer become an occurrence. */
  function release(bytes: Uint8Array, safe: number): Uint8Array {
    const { covers, began } = walk;
    const pieces: Uint8Array[] = [];
    let done = 0;
    for (let cover = covers[0]; cover !== undefined && cover.start <= safe; cover = covers[0]) {
      if (cover.start > done) pieces.push(bytes.subarray(done, cover.start));
      // One that begins before these bytes goes on from a gap that has its marker.
      if (keepLength) pieces.push(filling(cover.start >= 0, cover.end - Math.max(cover.start, 0)));
      else if (cover.start >= 0) pieces.push(MARKER);
      done = cover.end;
      covers.shift();
    }
    if (safe > done) {
      pieces.push(done === 0 && safe === bytes.length ? bytes : bytes.subarray(done, safe));
      done = safe;
    }
    // A copy: who gets the pieces may hand their memory on to a stream, which detaches it.
    held = done < bytes.length ? bytes.slice(done) : NOTHING;
    // From now on positions count from the first byte held.
    for (const [index, { start, end }] of covers.entries()) {
      covers[index] = { start: start - done, end: end - done };
    }
    began.length = walk.state.groups.length;
    for (const [index, start] of began.entries()) began[index] = start - done;
    const [only = new Uint8Array(0)] = pieces;
    return pieces.length > 1 || only === MARKER ? concatBytes(...pieces) : only;
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return chunk;
      const bytes = held.length === 0 ? chunk : concatBytes(held, chunk);
      scan(matcher, walk, bytes, held.length);
      const { state, began } = walk;
      return release(bytes, state === matcher.root ? bytes.length : (began[0] ?? 0));
    },
    end() {
      walk.state = matcher.root;
      return release(held, held.length);
    },
  };
}

/** As many bytes as a gap has. */
function filling(isBeginning: boolean, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(ASTERISK);
  if (isBeginning && length >= MARKER.length) bytes.set(MARKER);
  return bytes;
}

/** Goes over the bytes from `from` on. */
function scan(matcher: SecretMatcher, walk: Walk, bytes: Uint8Array, from: number): void {
  const { root, stride } = matcher;
  const { began, covers } = walk;
  const { length } = bytes;
  let { state } = walk;
  let at = from;
  while (at < length) {
    let walkTo = at;
    if (state === root) {
      at = matcher.skip(bytes, at);
      walkTo = at + stride;
    }
    while (at < length && (state !== root || at < walkTo)) {
      const { to, sources, matched } = matcher.move(state, bytes[at] ?? 0);
      began[state.groups.length] = at;
      at += 1;
      if (matched >= 0) coverUp(covers, began[matched] ?? 0, at);
      // In place, because sources rise.
      if (sources !== null) {
        for (let group = 0; group < sources.length; group += 1) {
          began[group] = began[sources[group] ?? 0] ?? 0;
        }
      }
      state = to;
    }
  }
  walk.state = state;
}

/** Occurrences come in the order of their ends: only the last covers can overlap with a new one. */
function coverUp(covers: Cover[], from: number, end: number): void {
  let start = from;
  for (let last = covers.at(-1); last !== undefined && last.end > from; last = covers.at(-1)) {
    start = Math.min(start, last.start);
    covers.pop();
  }
  covers.push({ start, end });
}

/** The same for a text, such as the value of a header field. */
export function scrubText(matcher: SecretMatcher, text: string): string {
  const scrubbed = scrubWhole(matcher, utf8(text));
  const decoded = scrubbed === null ? text : (fromUtf8(scrubbed) ?? REDACTED);
  // A header field's value may show each byte of a UTF-8 sequence as a character of its own (Fetch: isomorphic decode).
  if (!/[\u0080-\u00ff]/.test(decoded) || /[\u0100-\uffff]/.test(decoded)) return decoded;
  const bytes = scrubWhole(
    matcher,
    Uint8Array.from(decoded, (char) => char.charCodeAt(0)),
  );
  return bytes === null ? decoded : Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** @returns null when there was nothing to take out. */
function scrubWhole(matcher: SecretMatcher, bytes: Uint8Array): Uint8Array | null {
  const scrubber = createScrubber(matcher);
  const passed = scrubber.push(bytes);
  const whole = concatBytes(passed, scrubber.end());
  return passed === bytes || sameBytes(whole, bytes) ? null : whole;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
