import type { Role } from "@relaykey/db/schema/people";
import type { Caller } from "./caller.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

interface ActionRow {
  /** The least role that may do it. */
  readonly role: Role;
  /** Whether a provisioner token may do it, within its bounds and to what it minted only. */
  readonly provisioner?: true;
  /** Only people: no token may do it. */
  readonly peopleOnly?: true;
  /** Only the token that was made when the installation was. */
  readonly bootstrapOnly?: true;
  /** Asks for a passkey where the person has enrolled one. */
  readonly dangerous?: true;
}

const READ = { role: "viewer" } as const;
const WRITE = { role: "admin" } as const;
const DANGEROUS = { role: "admin", dangerous: true } as const;

/**
 * Who may do what: the one table. The service checks it at the beginning of each function, whichever face calls it; each
 * route of the API names its action, and a test walks all routes and all kinds of callers.
 */
export const ACTIONS = {
  "organization.create": { ...WRITE, bootstrapOnly: true },
  "organization.read": READ,
  "organization.change": WRITE,
  "organization.freeze": WRITE,
  "organization.enforce": WRITE,
  "organization.delete": { ...DANGEROUS, peopleOnly: true },
  "member.read": READ,
  "member.change": DANGEROUS,
  "member.leave": { ...READ, peopleOnly: true },
  "invitation.read": READ,
  "invitation.change": WRITE,
  "domain.read": READ,
  "domain.change": WRITE,
  "integration.read": READ,
  "integration.change": WRITE,
  "integration.rotate": DANGEROUS,
  "custody.read": READ,
  "custody.change": DANGEROUS,
  "custody.rewrap": WRITE,
  "holder.read": READ,
  "holder.change": WRITE,
  "key.read": { ...READ, provisioner: true },
  "key.create": { ...WRITE, provisioner: true },
  "key.change": WRITE,
  "key.revoke": { ...WRITE, provisioner: true },
  "network.read": READ,
  "network.change": WRITE,
  "token.read": READ,
  "token.own": { ...READ, provisioner: true },
  "token.change": DANGEROUS,
  "audit.read": READ,
  "audit_chain.read": READ,
  "admin_event.read": READ,
  "policy.dry_run": READ,
  "catalogue.read": { ...READ, provisioner: true },
  "webhook.read": READ,
  "webhook.change": WRITE,
  "notice.read": READ,
  "notice.change": READ,
  "plan.read": READ,
  "plan.change": { ...DANGEROUS, peopleOnly: true },
  "plan.set": { ...WRITE, bootstrapOnly: true },
} as const satisfies Record<string, ActionRow>;

export type Action = keyof typeof ACTIONS;

const RANK: Record<Role, number> = { viewer: 0, admin: 1 };

/** Whether the caller may do this at all. What a token's bounds say of the particular case is checked where it is known. */
export function authorize(caller: Caller, action: Action): Outcome<null> {
  const row: ActionRow = ACTIONS[action];
  if (RANK[caller.role] < RANK[row.role]) return fail("role_insufficient");
  if (caller.token !== null && row.peopleOnly === true) return fail("people_only");
  if (caller.token?.kind === "provisioner" && row.provisioner !== true) return fail("token_scope");
  if (row.bootstrapOnly === true && caller.token?.kind !== "bootstrap") return fail("bootstrap_only");
  if (row.dangerous === true && !caller.isStrong) return fail("passkey_needed");
  return ok(null);
}
