import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "@relaykey/core/secret";
import { Failure, usage } from "./failure.ts";
import { Profiles } from "./profiles.ts";

/** Where the management API is, and as whom to call it. */
export interface Connection {
  /** No trailing slash. */
  readonly url: string;
  readonly token: Secret;
}

const DEFAULT_STATE = ".relaykey";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Which RelayKey was named on the command line. */
export interface Named {
  readonly state?: string | undefined;
  readonly profile?: string | undefined;
}

/**
 * What was named on the command line goes first (--state, --profile), then the environment (RELAYKEY_API_URL and
 * RELAYKEY_MANAGEMENT_TOKEN, both or neither; RELAYKEY_PROFILE), then the local edition that runs here, then the profile of
 * the last sign-in.
 *
 * @throws Failure that says what is missing.
 */
export function findConnection(
  env: Readonly<Record<string, string | undefined>>,
  { state, profile }: Named,
): Connection {
  if (state !== undefined) return readState(state);
  if (profile !== undefined) return readProfile(env, profile);
  const { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token, RELAYKEY_PROFILE: named } = env;
  if (url || token) {
    if (!url) throw usage("RELAYKEY_MANAGEMENT_TOKEN is set, but RELAYKEY_API_URL is not: set both.");
    if (!token) throw usage("RELAYKEY_API_URL is set, but RELAYKEY_MANAGEMENT_TOKEN is not: set both.");
    return { url: checkUrl(url, "RELAYKEY_API_URL"), token: new Secret(token.trim()) };
  }
  if (named) return readProfile(env, named);
  const isSignedIn =
    !existsSync(join(DEFAULT_STATE, "local.json")) && new Profiles(env).find(undefined) !== null;
  return isSignedIn ? readProfile(env, undefined) : readState(DEFAULT_STATE);
}

function readProfile(
  env: Readonly<Record<string, string | undefined>>,
  name: string | undefined,
): Connection {
  const profiles = new Profiles(env);
  const found = profiles.find(name);
  if (found === null) {
    throw new Failure(`There is no profile "${name ?? "default"}": rk login --profile ${name ?? "default"}.`);
  }
  const { url, token, expiresAt } = found.profile;
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
    throw new Failure(`The sign-in of profile "${found.name}" is over: rk login --profile ${found.name}.`);
  }
  return { url: checkUrl(url, profiles.path), token: new Secret(token) };
}

function readState(folder: string): Connection {
  const path = join(folder, "local.json");
  let state: unknown;
  try {
    state = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new Failure(
      `There is no running RelayKey to talk to: ${path} cannot be read. Start one with "npm start", name its folder with ` +
        "--state DIR, sign in with rk login URL, or set RELAYKEY_API_URL and RELAYKEY_MANAGEMENT_TOKEN.",
    );
  }
  const { controlPlane, managementToken } = state as { controlPlane?: unknown; managementToken?: unknown };
  if (typeof controlPlane !== "string" || typeof managementToken !== "string") {
    throw new Failure(`${path} is not a state file of this version: start RelayKey again.`);
  }
  return { url: checkUrl(controlPlane, path), token: new Secret(managementToken) };
}

/** A management token must not cross a network in the clear. */
export function checkUrl(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw usage(`${source} must hold a URL such as https://relaykey.example.com.`);
  }
  if (url.protocol === "http:" && !LOOPBACK.has(url.hostname)) {
    throw usage(`${source} must use https: over http the management token could be read on its way.`);
  }
  return url.origin;
}
