import { Secret } from "./secret.ts";

/** How to reach a mail server. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls` is required, not tried: a server, or somebody between, that does not offer it gets no mail. */
  readonly security: "tls" | "starttls" | "none";
  readonly user: string;
  readonly password: Secret;
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Reads `smtps://user:password@host:465` (TLS) or `smtp://user:password@host:587` (STARTTLS). `?security=none` after a host
 * on this machine turns encryption off.
 *
 * @returns null when the text is none of these.
 */
export function parseSmtpUrl(text: string): SmtpSettings | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const secure = url.protocol === "smtps:";
  if ((!secure && url.protocol !== "smtp:") || url.hostname === "") return null;
  if (!["", "/"].includes(url.pathname) || url.hash !== "") return null;
  const security = secure ? "tls" : "starttls";
  if (url.search !== "" && url.search !== "?security=none") return null;
  const open = url.search !== "";
  if (open && (secure || !LOOPBACK.test(url.hostname))) return null;
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
      security: open ? "none" : security,
      user: decodeURIComponent(url.username),
      password: new Secret(decodeURIComponent(url.password)),
    };
  } catch {
    return null;
  }
}
