const NEWLINE = 0x0a;
const QUOTE = 0x22;

/**
 * Cuts a stream of bytes into whole records, so that what is written out ends with one even when the stream does not. A line
 * end inside quotes (RFC 4180) ends no record; lines of JSON have none inside.
 */
export class RecordCutter {
  readonly #quoting: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #inQuotes = false;

  /** @param quoting whether quotes may hold line ends, as in CSV. */
  constructor(quoting: boolean) {
    this.#quoting = quoting;
  }

  /** Whether what came so far ends with a whole record. */
  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  /** The records that are whole with this chunk, line ends included. */
  push(chunk: Uint8Array): Buffer[] {
    const began = this.#rest.length;
    const bytes = Buffer.concat([this.#rest, chunk]);
    const records: Buffer[] = [];
    let start = 0;
    for (let at = began; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE && this.#quoting) this.#inQuotes = !this.#inQuotes;
      if (byte !== NEWLINE || this.#inQuotes) continue;
      records.push(bytes.subarray(start, at + 1));
      start = at + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
    return records;
  }
}
