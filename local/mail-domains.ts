import { createHash } from "node:crypto";
import { disposableEmailBlocklist } from "disposable-email-domains-js";
import freeDomains from "free-email-domains";
import { queryRows } from "./sql/backend.ts";
import type { SqlBackend } from "./sql/backend.ts";

/**
 * Fills the table of mail domains that nobody may claim, from two kept lists. They are far too long for a Worker's bundle,
 * and are new with each version of RelayKey. Safe to repeat; does nothing when the table has them already.
 *
 * @returns how many there are.
 */
export async function loadPublicMailDomains(backend: SqlBackend): Promise<number> {
  const kinds = new Map<string, "free" | "disposable">();
  for (const domain of freeDomains) kinds.set(domain.toLowerCase(), "free");
  for (const domain of disposableEmailBlocklist()) kinds.set(domain.toLowerCase(), "disposable");
  const domains = [...kinds].sort(([left], [right]) => (left < right ? -1 : 1));
  const wanted = createHash("md5")
    .update(domains.map(([domain, kind]) => `${domain} ${kind}`).join("\n"))
    .digest("hex");
  const [stored] = await queryRows(
    backend,
    `SELECT md5(coalesce(string_agg(domain || ' ' || kind, E'\\n' ORDER BY domain COLLATE "C"), '')) FROM public_mail_domains`,
    [],
  );
  if (stored?.[0] === wanted) return domains.length;
  // One statement: nobody sees a table that is half full.
  await queryRows(
    backend,
    `WITH wanted AS (SELECT entry ->> 0 AS domain, entry ->> 1 AS kind FROM jsonb_array_elements($1::jsonb) AS entry),
      gone AS (DELETE FROM public_mail_domains WHERE domain NOT IN (SELECT domain FROM wanted))
     INSERT INTO public_mail_domains (domain, kind) SELECT domain, kind FROM wanted
     ON CONFLICT (domain) DO UPDATE SET kind = excluded.kind`,
    [JSON.stringify(domains)],
  );
  return domains.length;
}
