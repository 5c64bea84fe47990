/** `npm run bootstrap -- NAME`: brings the database of a deployment up to date and opens its first organization. */
import { StartError } from "@relaykey/local/config/error";
import { createBootstrapToken, createOrganization, firstOrganization } from "@relaykey/local/first-token";
import { loadPublicMailDomains } from "@relaykey/local/mail-domains";
import { migrateBackend } from "@relaykey/local/sql/migrate-backend";
import { openPostgres } from "@relaykey/local/sql/postgres";

const HELP = `Usage: npm run bootstrap -- NAME

Migrates the database, makes the organization NAME and prints its first management token.
Without NAME it only migrates. Both may be repeated; a second organization is not made.
  DATABASE_URL         the PostgreSQL of the deployment
  RELAYKEY_TOKEN_KEY   the token key of the deployment (npm run secrets)
`;

async function main(name: string | undefined): Promise<void> {
  const backend = openPostgres(setting("DATABASE_URL"));
  try {
    await migrateBackend(backend, (line) => {
      console.error(line);
    });
    const domains = await loadPublicMailDomains(backend);
    console.error(`The database is up to date; ${String(domains)} public mail domains are known.`);
    if (name === undefined) return;
    const tokenKey = setting("RELAYKEY_TOKEN_KEY");
    const existing = await firstOrganization(backend);
    if (existing !== null) throw new StartError(`The first organization exists already: ${existing}.`);
    const organizationId = await createOrganization(backend, name);
    console.error(
      `Made the organization ${name} (${organizationId}). Its first management token, shown this once:`,
    );
    console.log(await createBootstrapToken(backend, organizationId, tokenKey));
  } finally {
    await backend.close();
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new StartError(`${name} is missing from the environment.`);
  return value;
}

const [name, ...more] = process.argv.slice(2);
if (name?.startsWith("-") === true || more.length > 0) {
  process.stdout.write(HELP);
} else {
  try {
    await main(name);
  } catch (error) {
    console.error(`relaykey: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
