import { toBase64Url, toHex, utf8 } from "@relaykey/core/bytes";
import { newId } from "@relaykey/core/ids";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/device-logins";
import type { DeviceLogin } from "@relaykey/db/queries/device-logins";
import type { Role } from "@relaykey/db/schema/people";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { networkOf, takeAll } from "./throttle.ts";

/** Signing a command line in through the browser of somebody who is signed in there: RFC 8628. */

/** What a command line shows, and what it asks with. */
export interface StartedLogin {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

const EXPIRES_IN_SECONDS = 600;
const INTERVAL_SECONDS = 5;
const DEVICE_CODE_BYTES = 32;
/** No vowels, nothing that looks like something else (RFC 8628 §6.1): 20^8, 34 bits, guessed against a throttle. */
const USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH = 8;
const CODE_PATTERN = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;

/** Logins that one network may start, and codes that one person may mistype, and all people together. */
const STARTS_PER_NETWORK = { limit: 20, seconds: 600 };
const GUESSES_PER_PERSON = { limit: 10, seconds: 600 };
const GUESSES_IN_ALL = { limit: 300, seconds: 600 };

/** How long the token of a command line can live. */
export const TOKEN_LIFETIMES = { "8h": 28_800, "1d": 86_400, "7d": 604_800, "30d": 2_592_000 } as const;
export type TokenLifetime = keyof typeof TOKEN_LIFETIMES;

/** Begins a login. Anybody may: nothing comes of it until an admin types the code. */
export async function startDeviceLogin(
  deps: ServiceDependencies,
  asked: { readonly client: string; readonly ip: string | null },
): Promise<Outcome<StartedLogin>> {
  const now = new Date(deps.now());
  const starts = [{ bucket: `device-start:${networkOf(asked.ip)}`, ...STARTS_PER_NETWORK }];
  if ((await takeAll(deps, starts)) > 0) return fail("rate_limited");
  const deviceCode = toBase64Url(crypto.getRandomValues(new Uint8Array(DEVICE_CODE_BYTES)));
  const userCode = newUserCode();
  await queries.createDeviceLogin(
    deps.db,
    {
      id: newId(),
      deviceHash: await deviceHash(deviceCode),
      userCodeHash: await userCodeHash(deps, userCode),
      client: asked.client,
      ip: asked.ip,
      state: "pending",
      expiresAt: new Date(now.getTime() + EXPIRES_IN_SECONDS * 1_000),
    },
    new Date(now.getTime() - EXPIRES_IN_SECONDS * 1_000),
  );
  return ok({
    deviceCode,
    userCode: `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
    expiresInSeconds: EXPIRES_IN_SECONDS,
    intervalSeconds: INTERVAL_SECONDS,
  });
}

/**
 * What a command line gets when it asks whether it is let in. The token is made at the question that follows the approval,
 * so that it is never stored but as a hash.
 */
export async function pollDeviceLogin(
  deps: ServiceDependencies,
  deviceCode: string,
): Promise<Outcome<{ readonly token: Secret; readonly expiresAt: Date; readonly organizationId: string }>> {
  const now = new Date(deps.now());
  const hash = await deviceHash(deviceCode);
  const login = await queries.noteLoginPoll(deps.db, hash, now);
  if (login === null || login.state === "used") return fail("invalid_grant");
  if (login.expiresAt <= now) return fail("expired_token");
  if (login.state === "denied") return fail("access_denied");
  const earliest = (login.lastPolledAt?.getTime() ?? 0) + INTERVAL_SECONDS * 1_000;
  if (now.getTime() < earliest) return fail("slow_down");
  return login.state === "pending" ? fail("authorization_pending") : mint(deps, hash, login, now);
}

async function mint(deps: ServiceDependencies, hash: string, login: DeviceLogin, now: Date) {
  const { organizationId, userId, tokenSeconds, role } = login;
  if (organizationId === null || userId === null || tokenSeconds === null) return fail("access_denied");
  const minted = await mintToken("mgmt", null, deps.tagKey);
  const expiresAt = new Date(now.getTime() + tokenSeconds * 1_000);
  const id = newId();
  const name = `rk: ${login.client}`;
  const caller: Caller = {
    organizationId,
    actor: { kind: "user", id: userId },
    via: "cli",
    ip: login.ip,
    role: "admin",
    token: null,
    isStrong: true,
  };
  const event = adminEvent(
    caller,
    "management_token.created",
    { kind: "management_token", id },
    { after: { name, role, expiresAt, display: minted.display }, metadata: { deviceLogin: login.id } },
  );
  const token = { id, name, tokenHash: minted.hash, display: minted.display, expiresAt };
  const used = await queries.useApprovedLogin(deps.db, hash, token, now, event);
  // Approved, but by somebody who may not any more; or another question was faster.
  return used ? ok({ token: minted.token, expiresAt, organizationId }) : fail("access_denied");
}

/** What an admin sees of a command line that asks to be let in. */
export interface AskingClient {
  readonly client: string;
  readonly ip: string | null;
  readonly since: Date;
  readonly expiresAt: Date;
}

/** Looks up the code that an admin typed. Wrong ones are counted, per person and in all. */
export async function findDeviceLogin(
  deps: ServiceDependencies,
  caller: Caller,
  typedCode: string,
): Promise<Outcome<AskingClient>> {
  const allowed = authorize(caller, "token.change");
  if (!allowed.ok) return allowed;
  const code = readUserCode(typedCode);
  if (code === null) return wrongCode();
  const guesses = [
    { bucket: `device-guess:${caller.actor.id ?? "system"}`, ...GUESSES_PER_PERSON },
    { bucket: "device-guess:all", ...GUESSES_IN_ALL },
  ];
  if ((await takeAll(deps, guesses)) > 0) return fail("rate_limited");
  const hash = await userCodeHash(deps, code);
  const login = await queries.findWaitingLogin(deps.db, hash, new Date(deps.now()));
  if (login === null) return wrongCode();
  return ok({
    client: login.client,
    ip: login.ip,
    since: login.createdAt,
    expiresAt: login.expiresAt,
  });
}

/** Lets a command line in, or sends it away. Only a person can: a token that lets others in would outlive itself. */
export async function decideDeviceLogin(
  deps: ServiceDependencies,
  caller: Caller,
  typedCode: string,
  decision:
    | { readonly approve: false }
    | { readonly approve: true; readonly role: Role; readonly lifetime: TokenLifetime },
): Promise<Outcome<null>> {
  const found = await findDeviceLogin(deps, caller, typedCode);
  if (!found.ok) return found;
  const { organizationId, actor } = caller;
  if (actor.kind !== "user") return fail("people_only");
  const code = readUserCode(typedCode) ?? "";
  const by = { organizationId, userId: actor.id };
  const event = adminEvent(
    caller,
    decision.approve ? "device_login.approved" : "device_login.denied",
    { kind: "user", id: actor.id },
    {
      metadata: { client: found.value.client, ip: found.value.ip },
      ...(decision.approve ? { after: { role: decision.role, lifetime: decision.lifetime } } : {}),
    },
  );
  const decided = await queries.decideLogin(
    deps.db,
    await userCodeHash(deps, code),
    decision.approve
      ? { ...by, state: "approved", role: decision.role, tokenSeconds: TOKEN_LIFETIMES[decision.lifetime] }
      : { ...by, state: "denied" },
    new Date(deps.now()),
    event,
  );
  return decided ? ok(null) : wrongCode();
}

/** Ends the management token that asks: signing a command line out. */
export async function endOwnToken(deps: ServiceDependencies, caller: Caller): Promise<Outcome<null>> {
  const allowed = authorize(caller, "token.own");
  if (!allowed.ok) return allowed;
  const { organizationId, token } = caller;
  if (token === null) return fail("not_found");
  const event = adminEvent(caller, "management_token.revoked", { kind: "management_token", id: token.id });
  await queries.endManagementToken(deps.db, organizationId, token.id, new Date(deps.now()), event);
  return ok(null);
}

/** As people type it: case, spaces and hyphens do not count. */
function readUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replace(/[\s-]/g, "");
  return CODE_PATTERN.test(letters) ? letters : null;
}

function wrongCode() {
  return invalid(
    "code",
    "This code is not waiting: it is mistyped, answered already, or older than 10 minutes.",
  );
}

function newUserCode(): string {
  let code = "";
  while (code.length < USER_CODE_LENGTH) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    // Bytes beyond the last multiple of 20 would make some letters likelier.
    if (byte < 240) code += USER_CODE_LETTERS.charAt(byte % USER_CODE_LETTERS.length);
  }
  return code;
}

async function deviceHash(deviceCode: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(deviceCode))));
}

/** Keyed: a code is short enough to be found from a plain hash. */
async function userCodeHash(deps: ServiceDependencies, code: string): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", deps.controlKey, utf8(`device-user-code|${code}`));
  return toHex(new Uint8Array(mac));
}
