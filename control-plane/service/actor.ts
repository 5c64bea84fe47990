import type { Actor } from "@relaykey/db/queries/admin-events";

/** Who asks, and in which organization. */
export interface Caller {
  readonly organizationId: string;
  readonly actor: Actor;
  /** May create organizations. */
  readonly isBootstrap: boolean;
}
