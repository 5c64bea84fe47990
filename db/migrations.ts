import { readFile, readdir } from "node:fs/promises";
import type { Migration } from "./migrate.ts";

const FOLDER = new URL("./migrations/", import.meta.url);

/** Reads the migration files, in order. Node only. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, FOLDER), "utf8") })),
  );
}
