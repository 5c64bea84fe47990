import http from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVALUATION } from "@relaykey/local/settings";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";
import type { MailSettings } from "@relaykey/local/mail-settings";
import { fetchFrom } from "../call-from.ts";
import { Admin } from "../harness.ts";
import type { IssuedKey } from "../harness.ts";

/** Where an installation that others use would be reached. Nobody looks these names up: tests ask its ports. */
export const PUBLIC_URLS = {
  proxy: "https://keys.example.com",
  controlPlane: "https://relaykey.example.com",
  confirm: "https://confirm.example.com",
};

export interface Person {
  readonly holderId: string;
  readonly email: string;
  readonly key: IssuedKey;
}

/** What the API says of mail to a holder. */
export interface MailState {
  readonly state: "ok" | "bounced" | "complained";
  readonly at: string | null;
}

/** A whole installation as `npm start` runs it, whose mail leaves by a transport of the test's choice. */
export class MailStack {
  readonly admin: Admin;
  readonly #stack: Stack;
  readonly #folder: string;

  private constructor(stack: Stack, folder: string) {
    this.#stack = stack;
    this.#folder = folder;
    this.admin = new Admin(stack.local);
  }

  static async start(mail: MailSettings): Promise<MailStack> {
    const state = mkdtempSync(join(tmpdir(), "relaykey-mail-"));
    const settings = { ...EVALUATION, publicUrls: PUBLIC_URLS, mail };
    return new MailStack(await startStack({ state, port: "free", settings }), state);
  }

  async remove(): Promise<void> {
    await this.#stack.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A person with a key that has been used from one network, and that waits for the next. */
  async person(address = `ann-${crypto.randomUUID()}@example.org`): Promise<Person> {
    const { holder } = await this.admin.call<{ holder: { id: string } }>("POST", "/holders", {
      name: address,
      kind: "person",
      email: address,
    });
    const key = await this.admin.createKey("echo", ["GET /**"], {
      holder: holder.id,
      name: "Laptop",
      ip: { mode: "confirm" },
    });
    const person = { holderId: holder.id, email: address, key };
    const first = await this.call(person, "127.0.0.1");
    if (first.status !== 200) throw new Error(`The first call was answered ${String(first.status)}.`);
    return person;
  }

  /** Calls the vendor with the person's key, from an address of this machine. */
  async call(
    { key }: Person,
    from: string,
  ): Promise<{ status: number; detail: string; mail: string | null }> {
    const response = await fetchFrom(from)(`${this.admin.local.proxy}/echo/x`, {
      headers: { Authorization: `Bearer ${key.token}` },
    });
    const body = (await response.json()) as { detail?: string; confirmation?: { mail: string } };
    return { status: response.status, detail: body.detail ?? "", mail: body.confirmation?.mail ?? null };
  }

  async mailState({ holderId }: Person): Promise<MailState> {
    const { holder } = await this.admin.call<{ holder: { mail: MailState } }>("GET", `/holders/${holderId}`);
    return holder.mail;
  }

  /** The page behind a link in a mail, asked of the port that a front would pass it on to. */
  async openLink(text: string): Promise<{ status: number; html: string }> {
    const path = new RegExp(`^${PUBLIC_URLS.confirm}(/c/\\S+)$`, "m").exec(text)?.[1];
    if (path === undefined) throw new Error("The mail has no link to where the pages are.");
    const response = await fetch(`${this.admin.local.confirm}${path}`);
    return { status: response.status, html: await response.text() };
  }

  /** What workerd was configured with and what it logged. */
  written(): string {
    return ["config.capnp", "workerd.log"]
      .map((name) => readFileSync(join(this.#folder, name), "utf8"))
      .join("\n");
  }

  /** What this installation may tell nobody. */
  secrets(): string[] {
    const text = readFileSync(join(this.#folder, "secrets.json"), "utf8");
    return [...Object.values(JSON.parse(text) as Record<string, string>), this.admin.local.managementToken];
  }

  /** A page of the dashboard, as an admin sees it. */
  async dashboard(path: string): Promise<string> {
    const { controlPlane } = this.admin.local;
    const cookie = await (this.#session ??= this.#signIn());
    return (await fetch(`${controlPlane}${path}`, { headers: { Cookie: cookie } })).text();
  }

  #session: Promise<string> | null = null;

  async #signIn(): Promise<string> {
    const { controlPlane } = this.admin.local;
    const link = new URL(this.#stack.signInLink);
    if (link.origin !== PUBLIC_URLS.controlPlane) throw new Error(`The link leads to ${link.origin}.`);
    const form = new URLSearchParams({ token: link.searchParams.get("token") ?? "" }).toString();
    const { status, cookies } = await new Promise<{ status: number; cookies: readonly string[] }>(
      (resolve, reject) => {
        // As a front that ended TLS passes on what a browser sent to the public address.
        const headers = {
          Host: link.host,
          Origin: link.origin,
          "Sec-Fetch-Site": "same-origin",
          "Content-Type": "application/x-www-form-urlencoded",
          "Content-Length": form.length,
        };
        const request = http.request(
          `${controlPlane}${link.pathname}`,
          { method: "POST", headers },
          (answer) => {
            answer.resume();
            resolve({ status: answer.statusCode ?? 0, cookies: answer.headers["set-cookie"] ?? [] });
          },
        );
        request.on("error", reject);
        request.end(form);
      },
    );
    const cookie = cookies.find((line) => line.startsWith("__Host-session="));
    if (cookie === undefined) throw new Error(`The link signed nobody in: ${String(status)}.`);
    return cookie.split(";")[0] ?? "";
  }
}
