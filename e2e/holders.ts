import type { Browser, Page } from "playwright-core";
import { fetchFrom } from "./call-from.ts";
import type { Admin, IssuedKey } from "./harness.ts";

/** Where a person works, where she then is, and where a thief is. */
export const HOME = "127.0.0.1";
export const CAFE = "127.0.0.2";
export const THIEF = "127.0.0.3";
/** As long as a person needs to read. */
export const READING_MS = 1_600;

const DEADLINE_MS = 30_000;

/** Somebody who holds a key that asks about new addresses. */
export interface Holder {
  readonly id: string;
  readonly email: string;
  readonly key: IssuedKey;
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

/** Persons who hold keys of the running stack, and what befalls them. */
export class Holders {
  readonly #admin: Admin;

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  /** A person with a key for an integration of the demo. */
  async person(integration = "echo"): Promise<Holder> {
    const email = `ann-${crypto.randomUUID()}@example.org`;
    const { holder } = await this.#admin.call<{ holder: { id: string } }>("POST", "/holders", {
      name: email,
      kind: "person",
      email,
    });
    const key = await this.#admin.createKey(integration, ["* /**"], {
      holder: holder.id,
      name: "Ann’s laptop",
      ip: { mode: "confirm" },
    });
    return { id: holder.id, email, key };
  }

  /** A call of the echo upstream, from a loopback address. */
  async call({ token }: Pick<IssuedKey, "token">, from: string, path: string): Promise<Refusal> {
    const response = await fetchFrom(from)(`${this.#admin.local.proxy}/echo${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { code = "", detail = "" } = (await response.json()) as Partial<Refusal>;
    return { status: response.status, code, detail };
  }

  /** How often the vendor has seen a path. */
  async reached(path: string): Promise<number> {
    const response = await fetch(`${this.#admin.local.upstream}/__counts`);
    const counts = (await response.json()) as Record<string, number>;
    return counts[`GET /echo${path}`] ?? 0;
  }

  /** The mails to an address that are meant, the newest first, once there are so many. */
  async mails(email: string, count: number, isMeant: (mail: Mail) => boolean = () => true): Promise<Mail[]> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const response = await fetch(
        `${this.#admin.local.outbox}/messages?to=${encodeURIComponent(email)}&limit=100`,
      );
      const { data } = (await response.json()) as { data: Mail[] };
      const meant = data.filter(isMeant);
      if (meant.length >= count) return meant;
      if (Date.now() > deadline) throw new Error(`${String(meant.length)} of ${String(count)} mails came.`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Opens the link in the newest mail that asks "was this you?", as the person does. */
  async question(browser: Browser, email: string): Promise<Page> {
    const [mail] = await this.mails(email, 1, ({ subject }) => subject.startsWith("Was this you?"));
    const page = await (await browser.newContext()).newPage();
    await page.goto(linkIn(mail, /^http\S+\/c\/\S+$/));
    await page.waitForTimeout(READING_MS);
    return page;
  }
}

/** A link in a mail that stands on a line of its own. */
export function linkIn(mail: Mail | undefined, form: RegExp): string {
  const url = mail?.text.split("\n").find((line) => form.test(line));
  if (url === undefined) throw new Error("The mail has no such link.");
  return url;
}

/** Says "this wasn't me", to the end. */
export async function freezeKey(page: Page): Promise<void> {
  await page.click("text=No, this wasn’t me");
  await page.click("text=Continue");
  await page.waitForTimeout(READING_MS);
  await page.click("text=Freeze the key");
}
