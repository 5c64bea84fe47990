import { lt, or, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { challenges, formDrafts, sessions, signInAttempts } from "../schema/access.ts";
import { stripeEvents } from "../schema/organizations.ts";
import { dropThrottles } from "./throttles.ts";

/** Longer than any throttle's window. */
const THROTTLE_HOURS = 48;

/**
 * Stripe sends an event again for three days, and its operators can have it sent again for thirty: until then a repeated one
 * has to be known. One that comes later still does no harm: an event is only a reason to look at what is paid now.
 */
const STRIPE_EVENT_DAYS = 31;

/** Deletes what has expired and proves nothing any more: sessions, links and codes, challenges, drafts of forms, counters. */
export async function deleteExpired(db: Database, now: Date): Promise<void> {
  await db.batch([
    db.delete(sessions).where(lt(sessions.expiresAt, now)),
    db
      .delete(signInAttempts)
      .where(or(lt(signInAttempts.expiresAt, now), sql`${signInAttempts.usedAt} IS NOT NULL`)),
    db.delete(formDrafts).where(lt(formDrafts.expiresAt, now)),
    db.delete(challenges).where(or(lt(challenges.expiresAt, now), sql`${challenges.usedAt} IS NOT NULL`)),
    db
      .delete(stripeEvents)
      .where(lt(stripeEvents.createdAt, new Date(now.getTime() - STRIPE_EVENT_DAYS * 86_400_000))),
  ]);
  await dropThrottles(db, new Date(now.getTime() - THROTTLE_HOURS * 3_600_000));
}
