import { basename } from "node:path";
import { catalogueEntry } from "@relaykey/core/catalogue/index";
import { environment } from "@relaykey/core/snippets";
import { Refusal } from "../client.ts";
import type { Json } from "../client.ts";
import type { CliContext } from "../context.ts";
import { Failure, usage } from "../failure.ts";
import { issueKey } from "../issue-key.ts";
import { sleep } from "../sleep.ts";
import { readPolicy } from "../policy-options.ts";
import type { PolicyOptions } from "../policy-options.ts";

/** What a key for one command, or one shell, is made of. */
export interface SessionKeyOptions extends Omit<PolicyOptions, "name" | "expires"> {
  readonly integration: string;
  readonly holder: string;
  readonly createHolder?: string | true;
  readonly preset?: string;
  readonly ttl: string;
}

/** A key that lives for one command, or one shell. */
export interface SessionKey {
  readonly id: string;
  readonly expiresAt: string;
  /** What programs, and the vendor's SDK, read. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Between attempts to revoke a key that is not needed any more: an API that is restarted is back within these. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;

/** Mints the key. @param purpose its name, such as "rk run node". */
export async function mintSessionKey(
  context: CliContext,
  options: SessionKeyOptions,
  purpose: string,
): Promise<SessionKey> {
  const { integration, holder, createHolder, preset, ttl, ...policy } = options;
  const { slug, catalogue } = await readIntegration(context, integration);
  const entry = catalogueEntry(catalogue ?? "");
  const allow = [...(policy.allow ?? []), ...presetRules(entry?.presets ?? [], preset)];
  if (allow.length === 0) {
    const names = (entry?.presets ?? []).map(({ name }) => `"${name}"`).join(", ");
    throw usage(
      `Say what the key may do: --allow "GET /v1/models" (repeat for more)${names === "" ? "" : `, or --preset with one of ${names}`}.`,
    );
  }
  const body = { ...readPolicy({ ...policy, allow, name: purpose, expires: ttl }), holder, integration };
  const proxy = String((await context.call("GET", "/whoami"))["proxy_url"]);
  const kind = typeof createHolder === "string" ? createHolder : null;
  const answer = await issueKey(context, body, { kind });
  const key = answer["key"] as Json;
  const id = String(key["id"]);
  const expiresAt = String(key["expires_at"]);
  if ((answer["enforcement"] as Json)["state"] === "pending") {
    await revokeSessionKey(context, { id, expiresAt });
    throw new Failure("The key was made, but the proxy could not be told: it is revoked again.");
  }
  const token = String(answer["token"]);
  const variables = environment({ proxy, slug, entry, token });
  return { id, expiresAt, variables };
}

/** "rk run node": the program alone, because its arguments may be private. */
export function purposeOf(command: string): string {
  return `rk run ${basename(command).replace(/[\p{Cc}\p{Cf}]/gu, "")}`.slice(0, 100).trim();
}

/**
 * Revokes the key, and goes on trying for a while when the API or the proxy is away. Says so when it could not be done.
 *
 * @param stop ends the trying early.
 * @returns whether it is dead everywhere.
 */
export async function revokeSessionKey(
  context: CliContext,
  { id, expiresAt }: Pick<SessionKey, "id" | "expiresAt">,
  stop: AbortSignal = new AbortController().signal,
): Promise<boolean> {
  for (const pause of [0, ...PAUSES_MS]) {
    await sleep(pause, stop);
    if (stop.aborted) break;
    try {
      const answer = await context.call("POST", `/keys/${id}/revoke`);
      if ((answer["enforcement"] as Json)["state"] === "enforced") return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    if (pause === 0)
      context.printer.err("rk: the key could not be revoked yet. Trying again; a signal stops that.");
  }
  context.printer.err(
    `rk: the key ${id} could not be revoked for certain. Repeat it with rk keys revoke ${id}; it ends by itself at ${expiresAt}.`,
  );
  return false;
}

/** A provisioner may not read integrations: it has to name the slug, which then says the catalogue entry, too. */
async function readIntegration(
  context: CliContext,
  integration: string,
): Promise<{ readonly slug: string; readonly catalogue: string | null }> {
  try {
    const answer = await context.call("GET", `/integrations/${encodeURIComponent(integration)}`);
    const { slug, catalogue } = answer["integration"] as { slug: string; catalogue: string | null };
    return { slug, catalogue };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "token_scope") throw error;
    return { slug: integration, catalogue: integration };
  }
}

function presetRules(
  presets: readonly { readonly name: string; readonly allow: readonly string[] }[],
  wanted: string | undefined,
): readonly string[] {
  if (wanted === undefined) return [];
  const found = presets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found.allow;
  const names = presets.map(({ name }) => `"${name}"`).join(", ");
  throw usage(
    names === ""
      ? "The catalogue has no presets for this integration: use --allow."
      : `--preset: give one of ${names}.`,
  );
}
