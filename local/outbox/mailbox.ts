import { DurableObject } from "cloudflare:workers";
import type { OutgoingMail } from "@relaykey/core/mail";

/** A mail as it was kept. */
export interface KeptMail extends OutgoingMail {
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** What a list shows of a mail. */
export type MailHead = Omit<KeptMail, "html" | "text">;

/** The last so many mails are kept. */
const CAPACITY = 500;

/** Keeps mail on disk. A mail that comes again changes nothing. */
export class Mailbox extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS mail (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      sender TEXT NOT NULL,
      recipient TEXT NOT NULL,
      subject TEXT NOT NULL,
      html TEXT NOT NULL,
      text TEXT NOT NULL,
      received_at INTEGER NOT NULL
    )`);
  }

  keep({ id, from, to, subject, html, text }: OutgoingMail): void {
    this.#sql.exec(
      `INSERT INTO mail (id, sender, recipient, subject, html, text, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
      ...[id, from, to, subject, html, text, Date.now()],
    );
    this.#sql.exec(`DELETE FROM mail WHERE number <= (SELECT max(number) FROM mail) - ?`, CAPACITY);
  }

  /** Newest first; those to addresses that contain `recipient`, in any case. */
  list(recipient: string): KeptMail[] {
    const rows = this.#sql.exec<Row>(
      `SELECT * FROM mail WHERE instr(lower(recipient), lower(?)) > 0 ORDER BY number DESC`,
      recipient,
    );
    return [...rows].map(toMail);
  }

  find(id: string): KeptMail | null {
    const [row] = this.#sql.exec<Row>(`SELECT * FROM mail WHERE id = ?`, id);
    return row === undefined ? null : toMail(row);
  }
}

type Row = Record<"id" | "sender" | "recipient" | "subject" | "html" | "text", string> & {
  received_at: number;
};

function toMail({ id, sender: from, recipient: to, subject, html, text, received_at }: Row): KeptMail {
  return { id, from, to, subject, html, text, receivedAt: received_at };
}
