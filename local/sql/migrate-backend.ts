import { migrate } from "@relaykey/db/migrate";
import { readMigrations } from "@relaykey/db/migrations";
import { queryRows } from "./backend.ts";
import type { SqlBackend } from "./backend.ts";

/** Brings a backend's schema up to date; `onProgress` hears the name of each migration before it runs. */
export async function migrateBackend(
  backend: SqlBackend,
  onProgress?: (name: string) => void,
): Promise<string[]> {
  const executor = {
    script: (text: string) => backend.script(text),
    rows: async (query: string, params: readonly string[]) =>
      (await queryRows(backend, query, params)).map((row) => [...row]),
  };
  return migrate(executor, await readMigrations(), onProgress);
}
