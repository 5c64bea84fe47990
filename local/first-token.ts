import { newId } from "@relaykey/core/ids";
import { importTagKey, mintToken } from "@relaykey/core/token";
import { queryRows } from "./sql/backend.ts";
import type { SqlBackend } from "./sql/backend.ts";

/** The organization that the first management token belongs to; null when there is no such token yet. */
export async function firstOrganization(backend: SqlBackend): Promise<string | null> {
  const found = await queryRows(
    backend,
    "SELECT organization_id FROM management_tokens WHERE kind = 'bootstrap' LIMIT 1",
    [],
  );
  return found[0]?.[0] ?? null;
}

/** @returns the id of the new organization. */
export async function createOrganization(backend: SqlBackend, name: string): Promise<string> {
  const id = newId();
  await queryRows(backend, "INSERT INTO organizations (id, name) VALUES ($1, $2)", [id, name]);
  return id;
}

/**
 * Makes the management token that opens the API: the first one cannot come through the API.
 *
 * @param tokenKey RELAYKEY_TOKEN_KEY, 32 bytes in base64.
 * @returns the token, to be shown once; only its hash is stored.
 */
export async function createBootstrapToken(
  backend: SqlBackend,
  organizationId: string,
  tokenKey: string,
): Promise<string> {
  const { token, hash, display } = await mintToken("mgmt", null, await importTagKey(tokenKey));
  await queryRows(
    backend,
    "INSERT INTO management_tokens (id, organization_id, name, kind, token_hash, display) VALUES ($1, $2, 'bootstrap', 'bootstrap', $3, $4)",
    [newId(), organizationId, hash, display],
  );
  return token.reveal();
}
