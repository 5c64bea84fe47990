import { and, desc, eq, ilike, or, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";

export interface NamedThing {
  readonly kind: "key" | "holder" | "integration";
  readonly id: string;
  readonly name: string;
}

/** Keys, holders and integrations of an organization that have a text in their name, the newest of each kind. */
export function findByName(
  db: Database,
  organizationId: string,
  text: string,
  limit: number,
): Promise<NamedThing[]> {
  const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
  const kind = (name: NamedThing["kind"]) => sql<NamedThing["kind"]>`${name}::text`;
  return unionAll(
    db
      .select({ kind: kind("integration").as("kind"), id: integrations.id, name: integrations.name })
      .from(integrations)
      .where(
        and(
          eq(integrations.organizationId, organizationId),
          or(ilike(integrations.name, pattern), ilike(integrations.slug, pattern)),
        ),
      )
      .orderBy(desc(integrations.id))
      .limit(limit),
    db
      .select({ kind: kind("holder").as("kind"), id: holders.id, name: holders.name })
      .from(holders)
      .where(
        and(
          eq(holders.organizationId, organizationId),
          or(ilike(holders.name, pattern), ilike(holders.email, pattern)),
        ),
      )
      .orderBy(desc(holders.id))
      .limit(limit),
    db
      .select({ kind: kind("key").as("kind"), id: relayKeys.id, name: relayKeys.name })
      .from(relayKeys)
      .where(
        and(
          eq(relayKeys.organizationId, organizationId),
          or(ilike(relayKeys.name, pattern), ilike(relayKeys.display, pattern)),
        ),
      )
      .orderBy(desc(relayKeys.id))
      .limit(limit),
  );
}

/** The newest keys of an organization, to choose from in a filter. */
export function listKeyNames(
  db: Database,
  organizationId: string,
  limit: number,
): Promise<{ id: string; name: string; display: string }[]> {
  return db
    .select({ id: relayKeys.id, name: relayKeys.name, display: relayKeys.display })
    .from(relayKeys)
    .where(eq(relayKeys.organizationId, organizationId))
    .orderBy(desc(relayKeys.id))
    .limit(limit);
}
