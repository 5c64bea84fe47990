import { equalBytes, fromBase64Url, toBase64Url, utf8 } from "@relaykey/core/bytes";

/** A form of the pages. A ticket for one is none for another. */
export type Step = (typeof STEPS)[number];
const STEPS = [
  "question",
  "freeze",
  "resend",
  "late_freeze",
  "open_review",
  "ask",
  "stop",
  "freeze_key",
] as const;

/** Its form changes nothing: who has just answered may be quick. */
const LEADS_ON: Step = "open_review";

/** Nobody sees this field. Its name is one that programs like to fill in. */
export const DECOY_FIELD = "website";

/** Nobody reads a page and answers in less; programs do. */
const SHORTEST_VISIT_MS = 1_500;
const LONGEST_VISIT_MS = 30 * 60_000;

/** What a form says, once it is known to be a person's. */
export interface Submission {
  readonly step: Step;
  readonly answer: string | null;
  readonly number: string | null;
  readonly email: string | null;
}

export type Judged =
  | { readonly ok: true; readonly submission: Submission }
  | {
      readonly ok: false;
      /**
       * `foreign`: not from a page of ours. `program`: nobody pressed the button. `hasty`, `stale`: too soon after the page
       * was shown, or too late.
       */
      readonly problem: "foreign" | "program" | "hasty" | "stale";
      /** Of the form, where it is a form of ours. */
      readonly step: Step | null;
    };

/** What binds a form: to what it is about, to the browser that it was shown in. */
interface Binding {
  readonly key: CryptoKey;
  /** The code of a link, and what of that link's page. */
  readonly about: string;
  /** The value of the page's cookie. */
  readonly browser: string;
}

/** Makes the ticket of a form that is shown now: the moment, and an HMAC over everything it is bound to. */
export async function makeTicket(step: Step, binding: Binding, now: number): Promise<string> {
  return `${now.toString(36)}.${toBase64Url(await mac(step, binding, now))}`;
}

/**
 * Judges a form that was sent. In this order: whether it comes from this site's own page, whether that page was shown to
 * this browser, and whether a person sent it.
 */
export async function judgeSubmission(
  headers: Headers,
  form: URLSearchParams,
  origin: string,
  binding: Binding,
  now: number,
): Promise<Judged> {
  const step = STEPS.find((known) => known === form.get("step")) ?? null;
  if (step === null || !isSameOrigin(headers, origin)) return { ok: false, problem: "foreign", step };
  const shownAt = await readTicket(form.get("ticket") ?? "", step, binding);
  if (shownAt === null || now - shownAt > LONGEST_VISIT_MS) return { ok: false, problem: "stale", step };
  if (isProgram(headers, form)) return { ok: false, problem: "program", step };
  if (now - shownAt < SHORTEST_VISIT_MS && step !== LEADS_ON) return { ok: false, problem: "hasty", step };
  const said = { answer: form.get("answer"), number: form.get("number"), email: form.get("email") };
  return { ok: true, submission: { step, ...said } };
}

/**
 * `Origin` is sent with every form by every browser, and no page can set it; nor the Fetch Metadata, which browsers send
 * to secure and local sites.
 */
function isSameOrigin(headers: Headers, origin: string): boolean {
  if (headers.get("origin") !== origin) return false;
  const sent = (name: string, expected: string): boolean => (headers.get(name) ?? expected) === expected;
  return (
    sent("sec-fetch-site", "same-origin") &&
    sent("sec-fetch-mode", "navigate") &&
    sent("sec-fetch-dest", "document")
  );
}

/**
 * Signs of a program: it filled in what nobody sees; scripts ran, and none of them saw a person press the button; or the
 * browser itself says that nobody did. `Sec-Fetch-User` is missing in Safari, hence asked of the others only.
 */
function isProgram(headers: Headers, form: URLSearchParams): boolean {
  if (form.get(DECOY_FIELD) !== "") return true;
  if (!["", "person"].includes(form.get("script") ?? "absent")) return true;
  const tellsOfUser = /Chrome\/|Firefox\//.test(headers.get("user-agent") ?? "");
  return tellsOfUser && headers.has("sec-fetch-site") && headers.get("sec-fetch-user") !== "?1";
}

/** @returns when the form was shown, or null when the ticket is not for it. */
async function readTicket(ticket: string, step: Step, binding: Binding): Promise<number | null> {
  const [moment = "", tag = ""] = ticket.split(".");
  const shownAt = /^[0-9a-z]{1,9}$/.test(moment) ? Number.parseInt(moment, 36) : Number.NaN;
  const given = fromBase64Url(tag);
  if (Number.isNaN(shownAt) || given === null) return null;
  return equalBytes(given, await mac(step, binding, shownAt)) ? shownAt : null;
}

async function mac(step: Step, { key, about, browser }: Binding, at: number): Promise<Uint8Array> {
  const parts = ["relaykey page v2", step, about, browser, String(at)];
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(parts.join("\0"))));
}
