import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { StartError } from "./config/error.ts";

/** 32 bytes in base64. */
const key = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);

/** Secrets of one installation, made at its first start. The same names are Worker secrets in production. */
const secretsSchema = z.strictObject({
  RELAYKEY_TOKEN_KEY: key,
  RELAYKEY_MASTER_KEY: key,
  RELAYKEY_CONTROL_KEY: key,
  RELAYKEY_CONFIRM_KEY: key,
  RELAYKEY_AUDIT_KEY: key,
  RELAYKEY_PLATFORM_TOKEN: z.string().min(20),
  SQL_PASSWORD: z.string().min(20),
});

export type Secrets = z.infer<typeof secretsSchema>;

/** What programs read of a running local edition: `DIR/local.json`, mode 0600. */
export const localFileSchema = z.object({
  proxy: z.url(),
  controlPlane: z.url(),
  confirm: z.url(),
  outbox: z.url(),
  upstream: z.url(),
  /** Null where there is none: an installation that others reach, by its own choice. */
  demo: z.nullable(z.object({ integration: z.string(), key: z.string() })),
  managementToken: z.string(),
});

export type LocalFile = z.infer<typeof localFileSchema>;

/** The folder in which the local edition keeps everything. */
export class StateFolder {
  readonly path: string;

  /** @param path absolute; made when it does not exist, readable by its owner only. */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** A folder inside, made when it does not exist. */
  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** @throws StartError naming what is missing or malformed in `secrets.json`. */
  secrets(): Secrets {
    const text = this.read("secrets.json");
    if (text !== null) return this.#knownSecrets(text);
    const secrets: Secrets = {
      RELAYKEY_TOKEN_KEY: newKey(),
      RELAYKEY_MASTER_KEY: newKey(),
      RELAYKEY_CONTROL_KEY: newKey(),
      RELAYKEY_CONFIRM_KEY: newKey(),
      RELAYKEY_AUDIT_KEY: newKey(),
      RELAYKEY_PLATFORM_TOKEN: randomBytes(24).toString("base64url"),
      SQL_PASSWORD: randomBytes(24).toString("base64url"),
    };
    this.write("secrets.json", secrets);
    return secrets;
  }

  /** An installation made before there was one of the younger keys gets it. All else must be there. */
  #knownSecrets(text: string): Secrets {
    const file = this.file("secrets.json");
    const younger = {
      RELAYKEY_CONTROL_KEY: true,
      RELAYKEY_CONFIRM_KEY: true,
      RELAYKEY_AUDIT_KEY: true,
    } as const;
    const known = parse(file, text, secretsSchema.partial(younger));
    const secrets: Secrets = {
      ...known,
      RELAYKEY_CONTROL_KEY: known.RELAYKEY_CONTROL_KEY ?? newKey(),
      RELAYKEY_CONFIRM_KEY: known.RELAYKEY_CONFIRM_KEY ?? newKey(),
      RELAYKEY_AUDIT_KEY: known.RELAYKEY_AUDIT_KEY ?? newKey(),
    };
    if (Object.keys(secrets).length > Object.keys(known).length) this.write("secrets.json", secrets);
    return secrets;
  }

  /** What the previous start left, or null at the first one. */
  local(): LocalFile | null {
    const text = this.read("local.json");
    return text === null ? null : parse(this.file("local.json"), text, localFileSchema);
  }

  writeLocal(local: LocalFile): void {
    this.write("local.json", local);
  }

  /** Whole or not at all: a crash leaves the old file or the new one. */
  private write(name: string, value: unknown): void {
    const draft = this.file(`.${name}.${String(process.pid)}`);
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file(name));
  }

  private read(name: string): string | null {
    try {
      return readFileSync(this.file(name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw new StartError(`${this.file(name)} cannot be read: ${String(error)}`);
    }
  }
}

function newKey(): string {
  return randomBytes(32).toString("base64");
}

function parse<T>(file: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StartError(
      `${file} is not JSON. Restore it from a copy, or start with another --state folder.`,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new StartError(`${file}: ${issue?.path.join(".") ?? ""} is missing or malformed.`);
}
