import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { EDGE_BOUND_SECONDS } from "@relaykey/core/enforcement";
import { formatDuration, formatRate } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { PROBE_VERDICTS } from "@relaykey/core/probe";
import type { ProbeResult } from "@relaykey/core/probe";
import type { HolderNetworks, KeyInspection, Place } from "@relaykey/core/rpc";
import { formatRule } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import type { AuditRow } from "@relaykey/db/queries/audit";
import type { DomainClaim } from "@relaykey/db/queries/domains";
import type { Holder } from "@relaykey/db/queries/holders";
import type { Integration } from "@relaykey/db/queries/integrations";
import type { Invitation } from "@relaykey/db/queries/invitations";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import type { Member } from "@relaykey/db/queries/members";
import type { Organization } from "@relaykey/db/queries/organizations";
import type { Receipt } from "@relaykey/db/queries/receipts";
import type { ManagementToken } from "@relaykey/db/queries/tokens";
import type { SecretVersion } from "@relaykey/db/queries/vendor-keys";
import type { AdminEventRecord } from "@relaykey/db/queries/admin-log";
import type { CatalogueEntry } from "@relaykey/core/catalogue/index";
import type { DryRun } from "../service/dry-run.ts";
import type { Enforcement } from "../service/enforcement.ts";
import type { ListedKey } from "../service/keys.ts";
import type { Page } from "../service/page.ts";
import { withoutAbsent } from "./schemas/fields.ts";

/**
 * The JSON forms of the API. Each names its members one by one, so that a new column is not published by accident: no
 * hash, locator, envelope or token is among them.
 */
export function presentOrganization(organization: Organization) {
  return {
    id: organization.id,
    name: organization.name,
    audit_retention_days: organization.auditRetentionDays,
    frozen: organization.frozen,
    delete_after: organization.deleteAfter,
    confirmation: presentConfirmation({ ...DEFAULT_CONFIRMATION, ...organization.confirmation }),
    created_at: organization.createdAt,
  };
}

export function presentMember(member: Member) {
  return {
    id: member.id,
    email: member.email,
    role: member.role,
    has_passkey: member.hasPasskey,
    created_at: member.createdAt,
  };
}

export function presentInvitation(invitation: Invitation) {
  return {
    id: invitation.id,
    email: invitation.email,
    role: invitation.role,
    invited_by: invitation.invitedBy,
    expires_at: invitation.expiresAt,
    created_at: invitation.createdAt,
  };
}

export function presentDomain({ domain, createdAt }: DomainClaim) {
  return { domain, created_at: createdAt };
}

export function presentIntegration(integration: Integration) {
  return {
    id: integration.id,
    slug: integration.slug,
    name: integration.name,
    catalogue: integration.catalogue,
    enabled: integration.enabled,
    upstream: `${integration.upstreamOrigin}${integration.upstreamBasePath}`,
    credential: integration.credential,
    secret_version: integration.secretVersion,
    health: integration.health,
    health_at: integration.healthAt,
    request_headers: integration.requestHeaders,
    dialect: integration.dialect,
    allow_encoded_slash: integration.allowEncodedSlash,
    log_query: integration.logQuery,
    response_cookies: integration.responseCookies,
    scrub_responses: integration.scrubResponses,
    timeout_ms: integration.timeoutMs,
    created_at: integration.createdAt,
  };
}

export function presentHolder(holder: Holder) {
  return {
    id: holder.id,
    name: holder.name,
    kind: holder.kind,
    email: holder.email,
    mail: { state: holder.mailState, at: holder.mailStateAt },
    frozen: holder.frozen,
    limits: presentLimits(holder.limits),
    confirmation: presentConfirmationChanges(holder.confirmation),
    created_at: holder.createdAt,
  };
}

export function presentKey(key: KeyRecord) {
  return {
    id: key.id,
    name: key.name,
    display: key.display,
    state: key.state,
    holder: { id: key.holder.id, name: key.holder.name },
    integration: { id: key.integration.id, slug: key.integration.slug },
    allow: key.rules.map(presentRule),
    bindings: key.bindings,
    ip: key.ipMode === "allowlist" ? { mode: key.ipMode, cidrs: key.ipCidrs } : { mode: key.ipMode },
    limits: presentLimits(key.limits),
    not_before: key.notBefore,
    expires_at: key.expiresAt,
    enforcement: key.enforcement,
    // How long a change may take to be in force everywhere once it is reported as enforced.
    enforcement_bound_seconds: key.enforcement === "edge" ? EDGE_BOUND_SECONDS : 0,
    policy: {
      version: key.policyVersion,
      state: key.enforcedVersion >= key.policyVersion ? ("enforced" as const) : ("pending" as const),
      enforced_version: key.enforcedVersion,
      enforced_at: key.enforcedAt,
    },
    frozen_by: key.frozenBy,
    frozen_at: key.frozenAt,
    replaces: key.replacesId,
    revoked_at: key.revokedAt,
    created_at: key.createdAt,
  };
}

/** Where a key is looked at, and not answered to a change. */
export function presentListedKey(key: ListedKey) {
  return { ...presentKey(key), last_used_at: key.lastUsedAt };
}

function presentConfirmation(policy: ConfirmationPolicy) {
  return {
    trust_on_first_use: policy.trustOnFirstUse,
    trust_days: policy.trustDays,
    preapproved: policy.preapproved,
    never_confirmable: policy.neverConfirmable,
    number_matching: policy.numberMatching,
    v6_prefix: policy.v6Prefix,
  };
}

/** Of a holder only what differs from the organization's is stored, and shown. */
function presentConfirmationChanges(changes: Partial<ConfirmationPolicy>) {
  const { trustOnFirstUse, trustDays, preapproved, neverConfirmable, numberMatching, v6Prefix } = changes;
  return withoutAbsent({
    trust_on_first_use: trustOnFirstUse,
    trust_days: trustDays,
    preapproved,
    never_confirmable: neverConfirmable,
    number_matching: numberMatching,
    v6_prefix: v6Prefix,
  });
}

/** The form in which the API takes limits. A member that was stored before there was such a limit is absent: none. */
function presentLimits({ rate, uses, concurrency, maxBodyBytes }: Partial<Limits>) {
  return {
    rate: rate == null ? null : formatRate(rate),
    uses: uses ?? null,
    concurrency: concurrency ?? null,
    max_body_bytes: maxBodyBytes ?? null,
  };
}

/** The form in which the API takes a rule. */
function presentRule(rule: ScopeRule) {
  const text = formatRule(rule);
  if (rule.query === undefined) return text;
  const { noDuplicates, ...query } = rule.query;
  return {
    rule: text,
    query: { ...query, ...(noDuplicates === undefined ? {} : { no_duplicates: noDuplicates }) },
  };
}

export function presentToken(token: ManagementToken) {
  const { bounds } = token;
  return {
    id: token.id,
    name: token.name,
    kind: token.kind,
    role: token.role,
    display: token.display,
    allow: token.rules?.map(presentRule) ?? null,
    ips: token.ipCidrs,
    bounds:
      bounds === null
        ? null
        : {
            integrations: bounds.integrations,
            holders: bounds.holders,
            allow: bounds.rules.map(presentRule),
            max_ttl: formatDuration(bounds.maxTtlSeconds * 1_000),
            ips: bounds.cidrs,
            rate: bounds.rate === null ? null : formatRate(bounds.rate),
            max_alive: bounds.maxAlive,
          },
    last_used_at: token.lastUsedAt,
    last_used_ip: token.lastUsedIp,
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt,
    created_at: token.createdAt,
  };
}

export function presentEnforcement(enforcement: Enforcement) {
  return enforcement.state === "pending"
    ? { state: enforcement.state, version: enforcement.version, enforced_at: null, waited_ms: null }
    : {
        state: enforcement.state,
        version: enforcement.version,
        enforced_at: new Date(enforcement.enforcedAt),
        waited_ms: enforcement.waitedMs,
      };
}

export function presentInspection(inspection: KeyInspection | null) {
  if (inspection === null) return null;
  return {
    version: inspection.version,
    state: inspection.state,
    leased_until: inspection.leasedUntil === 0 ? null : new Date(inspection.leasedUntil),
    leases_asked: inspection.leasesAsked,
    uses_taken: inspection.usesTaken,
    holder_freezes: inspection.holderFreezes,
  };
}

export function presentReceipt(receipt: Receipt) {
  return {
    version: receipt.version,
    enforced_at: receipt.enforcedAt,
    waited_ms: receipt.waitedMs,
    last_admitted_at: receipt.lastAdmittedAt,
    streams_cut: receipt.streamsCut,
  };
}

export function presentAuditEvent(row: AuditRow) {
  return {
    request_id: row.requestId,
    at: row.at,
    integration_id: row.integrationId,
    integration: row.integrationSlug,
    key_id: row.keyId,
    holder_id: row.holderId,
    method: row.method,
    path: row.path,
    query: row.query,
    decision: row.decision,
    reason: row.reason,
    outcome: row.outcome,
    status: row.status,
    upstream_status: row.upstreamStatus,
    ip: row.ip,
    user_agent: row.userAgent,
    duration_ms: row.durationMs,
    bytes_in: row.bytesIn,
    bytes_out: row.bytesOut,
    dropped_headers: row.droppedHeaders,
  };
}

export function presentSecretVersion(secret: SecretVersion, current: number) {
  return {
    version: secret.version,
    in_force: secret.version === current,
    restorable_until: secret.restorableUntil,
    destroyed: secret.destroyed,
    created_at: secret.createdAt,
  };
}

export function presentProbe({ verdict, statusClass, latencyMs }: ProbeResult) {
  return {
    verdict,
    meaning: PROBE_VERDICTS[verdict],
    status_class: statusClass,
    latency_ms: latencyMs,
  };
}

export function presentDryRun(run: DryRun) {
  const { rule, nearest, ...same } = run;
  return {
    ...same,
    rule: rule === null ? null : { index: rule.index, rule: rule.text },
    nearest: nearest === null ? null : { index: nearest.index, rule: nearest.text, misses: nearest.misses },
  };
}

export function presentCatalogueEntry(entry: CatalogueEntry) {
  return {
    slug: entry.slug,
    name: entry.name,
    upstream: entry.upstream,
    credential: entry.credential,
    request_headers: entry.requestHeaders,
    dialect: entry.dialect,
    presets: entry.presets.map(({ name, allow }) => ({ name, allow })),
    sdk: { base_url: entry.sdk.baseUrl, env: entry.sdk.env ?? null },
  };
}

export function presentAdminEvent(event: AdminEventRecord) {
  return {
    id: event.id,
    at: event.at,
    actor: { kind: event.actorKind, id: event.actorId, name: event.actorName },
    via: event.via,
    ip: event.ip,
    action: event.action,
    subject: { kind: event.subjectKind, id: event.subjectId, name: event.subjectName },
    before: event.before,
    after: event.after,
    metadata: JSON.parse(event.metadata) as Record<string, unknown>,
  };
}

export function presentNetworks({ trusted, pending, storm }: HolderNetworks) {
  return {
    trusted: trusted.map(({ network, source, firstSeen, lastSeen, place }) => ({
      network,
      source,
      first_seen: new Date(firstSeen),
      last_seen: new Date(lastSeen),
      place: presentPlace(place),
    })),
    pending: pending.map((entry) => ({
      id: entry.id,
      network: entry.network,
      key_id: entry.keyId,
      request: {
        method: entry.request.method,
        path: entry.request.path,
        user_agent: entry.request.userAgent,
        integration: entry.request.integration,
        address: entry.request.address,
        place: presentPlace(entry.request.place),
      },
      since: new Date(entry.since),
      last_seen: new Date(entry.lastSeen),
      attempts: entry.attempts,
      expires_at: new Date(entry.expiresAt),
      mailed: entry.mailed,
    })),
    storm: storm === null ? null : { since: new Date(storm.since), networks: storm.networks },
  };
}

function presentPlace({ country, region, city, asn, network }: Place) {
  return { country, region, city, asn, network };
}

export function presentPage<T, J>(page: Page<T>, present: (entry: T) => J) {
  return { data: page.entries.map(present), next_cursor: page.nextCursor };
}
