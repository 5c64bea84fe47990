import { utf8 } from "@relaykey/core/bytes";

/** A server's answer: three digits, and the enhanced status code (RFC 3463) where it gives one. */
export interface Reply {
  readonly code: number;
  readonly status: string | null;
  /** Without the digits. */
  readonly lines: readonly string[];
}

/** The conversation broke: it ended, took too long, or was none. */
export class DialogueError extends Error {
  override readonly name = "DialogueError";
}

const LONGEST_REPLY = 16_384;

/** Commands and answers of SMTP (RFC 5321 §4) over one connection. */
export class Dialogue {
  #socket: Socket;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #decoder = new TextDecoder();
  #pending = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = socket.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#writer = socket.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
  }

  /** @throws DialogueError when the answer does not come whole, or is none. */
  async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      const match = /^(\d{3})([ -]?)(.*)$/.exec(line);
      if (match === null) throw new DialogueError("not an SMTP server");
      lines.push(match[3] ?? "");
      if (match[2] === "-") continue;
      const status = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(match[3] ?? "");
      return { code: Number(match[1]), status: status?.[0] ?? null, lines };
    }
  }

  /** @throws RangeError when the command holds a second one. */
  async command(line: string): Promise<Reply> {
    if (/[\r\n\0]/.test(line)) throw new RangeError("A command is one line.");
    await this.#writer.write(utf8(`${line}\r\n`));
    return this.reply();
  }

  /** Sends the lines of a mail, which must end with CRLF, and the end of it. */
  async data(text: string): Promise<Reply> {
    await this.#writer.write(utf8(`${text.replace(/^\./gm, "..")}.\r\n`));
    return this.reply();
  }

  /** Goes on encrypted. What the server sent before that must not count after it (CVE-2011-0411). */
  secure(): void {
    if (this.#pending !== "") throw new DialogueError("answers before encryption");
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    this.#socket = this.#socket.startTls();
    this.#reader = this.#socket.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#writer = this.#socket.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
    this.#decoder = new TextDecoder();
  }

  async close(): Promise<void> {
    await this.#socket.close().catch(() => undefined);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf("\n");
      if (end !== -1) {
        const line = this.#pending.slice(0, end).replace(/\r$/, "");
        this.#pending = this.#pending.slice(end + 1);
        return line;
      }
      if (this.#pending.length > LONGEST_REPLY) throw new DialogueError("an answer without end");
      const { value, done } = await this.#reader.read();
      if (done) throw new DialogueError("the connection ended");
      this.#pending += this.#decoder.decode(value, { stream: true });
    }
  }
}
