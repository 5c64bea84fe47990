import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure, usage } from "./failure.ts";

/** One RelayKey that somebody signed in to. */
export interface Profile {
  readonly url: string;
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string | null;
}

interface Stored {
  /** The profile that is used when none is named. */
  readonly current: string;
  readonly profiles: Readonly<Record<string, Profile>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const EMPTY: Stored = { current: "default", profiles: {} };
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

/** What `rk login` stored: management tokens in a file that only its owner can read. */
export class Profiles {
  readonly path: string;

  constructor(env: Environment) {
    const base = env["XDG_CONFIG_HOME"];
    // The XDG Base Directory specification ignores relative paths.
    const folder = base?.startsWith("/") === true ? base : join(homedir(), ".config");
    this.path = join(folder, "relaykey", "credentials.json");
  }

  /** @throws Failure when the file is there and cannot be read. */
  read(): Stored {
    let text: string;
    try {
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return EMPTY;
      throw new Failure(`${this.path} cannot be read: check who owns it.`);
    }
    const stored = parse(text);
    if (stored === null) throw new Failure(`${this.path} is damaged: remove it and sign in again.`);
    return stored;
  }

  /** The named profile, or the current one; null when there is none. */
  find(name: string | undefined): { readonly name: string; readonly profile: Profile } | null {
    const { current, profiles } = this.read();
    const wanted = name ?? current;
    const profile = Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined;
    return profile === undefined ? null : { name: wanted, profile };
  }

  /** Stores a profile and makes it the current one. */
  save(name: string, profile: Profile): void {
    const { profiles } = this.read();
    this.#write({ current: checkName(name), profiles: { ...profiles, [name]: profile } });
  }

  use(name: string): void {
    const stored = this.read();
    if (!Object.hasOwn(stored.profiles, name)) throw usage(`There is no profile "${name}": see rk profiles.`);
    this.#write({ ...stored, current: name });
  }

  remove(name: string): void {
    const { current, profiles } = this.read();
    const rest = Object.fromEntries(Object.entries(profiles).filter(([other]) => other !== name));
    const next = current === name ? (Object.keys(rest)[0] ?? EMPTY.current) : current;
    this.#write({ current: next, profiles: rest });
  }

  /** Whole or not at all, and never readable by others, not even for a moment. */
  #write(stored: Stored): void {
    const folder = join(this.path, "..");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const draft = `${this.path}.${String(process.pid)}`;
    writeFileSync(draft, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600, flag: "w" });
    chmodSync(draft, 0o600);
    renameSync(draft, this.path);
  }
}

export function checkName(name: string): string {
  if (!NAME.test(name)) throw usage("--profile: give a name of letters, digits, dots and hyphens.");
  return name;
}

function parse(text: string): Stored | null {
  try {
    const { current, profiles } = JSON.parse(text) as Partial<Stored>;
    if (typeof current !== "string" || typeof profiles !== "object") return null;
    const isWhole = Object.values(profiles).every(
      (profile) => typeof profile.url === "string" && typeof profile.token === "string",
    );
    return isWhole ? { current, profiles } : null;
  } catch {
    return null;
  }
}
