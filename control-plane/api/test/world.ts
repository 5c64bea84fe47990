import { decodeChallengeOrder, decodeRewrapOrder } from "@relaykey/core/custody/orders";
import type { ChallengeResult, RewrapResult } from "@relaykey/core/custody/orders";
import { proveCustody, rewrap } from "@relaykey/core/custody/answers";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import type { ChainSigner } from "@relaykey/core/audit-chain/keys";
import { deriveLocalKeys, openSecret, unwrapEnvelope, vendorKeyContext } from "@relaykey/core/envelope";
import type { Keyring } from "@relaykey/core/envelope";
import { newId } from "@relaykey/core/ids";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import type { MailMessage } from "@relaykey/core/mail";
import { decodeProbeOrder } from "@relaykey/core/probe";
import type { ProbeOrder, ProbeResult, ProbeVerdict } from "@relaykey/core/probe";
import type {
  EnforcementReceipt,
  HolderNetworks,
  KeyControlApi,
  KeyInspection,
  KeyRef,
} from "@relaykey/core/rpc";
import { decodeSnapshot } from "@relaykey/core/snapshot";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { importTagKey, mintToken } from "@relaykey/core/token";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";
import { findIntegration } from "@relaykey/db/queries/integrations";
import { createOrganization } from "@relaykey/db/queries/organizations";
import { integrationSnapshot } from "@relaykey/db/queries/snapshots";
import type { SqlBackend } from "../../../local/sql/backend.ts";
import { startSqlEndpoint } from "../../../local/sql/endpoint.ts";
import { migrateBackend } from "../../../local/sql/migrate-backend.ts";
import { openPglite } from "../../../local/sql/pglite.ts";
import { managementTokens } from "@relaykey/db/schema/access";
import type { integrationSecrets } from "@relaykey/db/schema/integrations";
import { domainClaims, memberships, users } from "@relaykey/db/schema/people";
import type { Role } from "@relaykey/db/schema/people";
import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { createApi } from "../app.ts";
import { expectDocumented } from "./documented.ts";

/** What the data plane was told, and whether it can be reached. It keeps the highest version, as the real one does. */
export class RecordingKeyControl implements KeyControlApi {
  readonly applied: PolicySnapshot[] = [];
  readonly revoked: { readonly ref: KeyRef; readonly version: number }[] = [];
  /** The version that holds, per key. */
  readonly holding = new Map<string, number>();
  /** Fails calls for these keys, or for all. */
  failing: ((keyId: string) => boolean) | null = null;
  /** Awaited before each call takes effect. */
  before: (snapshot: PolicySnapshot) => Promise<void> = () => Promise.resolve();

  async apply(text: string): Promise<EnforcementReceipt> {
    const decoded = decodeSnapshot(text);
    if (!decoded.ok) throw new TypeError(decoded.error);
    await this.before(decoded.snapshot);
    this.#reach(decoded.snapshot.keyId);
    this.applied.push(decoded.snapshot);
    return this.#hold(decoded.snapshot.keyId, decoded.snapshot.version);
  }

  async revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt> {
    this.#reach(ref.keyId);
    this.revoked.push({ ref, version });
    return this.#hold(ref.keyId, version);
  }

  /** How often holders have frozen the keys that are asked about. */
  holderFreezes = 0;

  inspect(ref: KeyRef): Promise<KeyInspection | null> {
    this.#reach(ref.keyId);
    const version = this.holding.get(ref.keyId);
    if (version === undefined) return Promise.resolve(null);
    const { holderFreezes } = this;
    return Promise.resolve({
      keyId: ref.keyId,
      version,
      state: "active",
      leasedUntil: 0,
      usesTaken: 0,
      holderFreezes,
      leasesAsked: 0,
    });
  }

  /** What the vendor makes of a key, and the orders to try one. */
  verdict: ProbeVerdict = "accepted";
  readonly probed: ProbeOrder[] = [];

  probe(order: string): Promise<ProbeResult> {
    this.probed.push(decodeProbeOrder(order));
    return Promise.resolve({ verdict: this.verdict, statusClass: 2, latencyMs: 12 });
  }

  /** Whether the next network of a holder would be its first. */
  firstUse = true;

  /** What envelopes are opened with. */
  keyring: Keyring = { local: [], openForCustomer: null };

  proveCustody(order: string): Promise<ChallengeResult> {
    return proveCustody(decodeChallengeOrder(order), this.keyring);
  }

  rewrap(order: string): Promise<RewrapResult> {
    return rewrap(decodeRewrapOrder(order), this.keyring);
  }

  networks(): Promise<HolderNetworks> {
    return Promise.resolve({ trusted: [], pending: [], firstUse: this.firstUse, storm: null });
  }

  approveNetwork(_locator: string, network: string): Promise<string> {
    return Promise.resolve(network);
  }

  removeNetwork(): Promise<boolean> {
    return Promise.resolve(false);
  }

  dismissPending(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Holders that were to be mailed about their networks. */
  readonly reviewed: string[] = [];

  mailReview(locator: string): Promise<void> {
    this.reviewed.push(locator);
    return Promise.resolve();
  }

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  latest(keyId: string): PolicySnapshot | undefined {
    return this.applied
      .filter((snapshot) => snapshot.keyId === keyId)
      .sort((left, right) => right.version - left.version)[0];
  }

  #reach(keyId: string): void {
    if (this.failing?.(keyId) === true) throw new Error("the data plane is away");
  }

  #hold(keyId: string, version: number): EnforcementReceipt {
    const held = Math.max(version, this.holding.get(keyId) ?? 0);
    this.holding.set(keyId, held);
    return { keyId, version: held, enforcedAt: Date.now(), waitedMs: 0 };
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON. */
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** Calls the API as the holder of a management token. */
export type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Where calls come from unless a test says otherwise. */
export const TEST_ADDRESS = "203.0.113.9";

export interface World {
  readonly db: Database;
  readonly deps: ServiceDependencies;
  readonly keyControl: RecordingKeyControl;
  /** Signs chains of audit events, as the audit plane does. */
  readonly chainSigner: ChainSigner;
  readonly keys: Awaited<ReturnType<typeof deriveLocalKeys>>;
  readonly api: ReturnType<typeof createApi>;
  readonly logged: string[];
  /** Mail handed to the confirm Worker. */
  readonly mails: MailMessage[];
  /** Moves the clock. */
  advance(ms: number): void;
  /** A fresh organization with a token of this kind. */
  organization(kind?: "bootstrap" | "standard"): Promise<{ id: string; token: string; client: Client }>;
  /** A person in an organization, as the dashboard knows them. */
  person(organizationId: string, role: Role): Promise<Caller>;
  /** A client with a fresh token of an organization's admin. */
  admin(organizationId: string): Promise<Client>;
  /** A mail domain that an organization holds. */
  domain(organizationId: string): Promise<string>;
  /** A client with any Authorization header, or none, calling from an address. */
  caller(authorization: string | null, ip?: string): Client;
  close(): Promise<void>;
}

/** The vendor key that the proxy would send, of an integration as a snapshot holds it. @throws when it would send nothing. */
export async function openVendorKey(
  { keyControl }: World,
  organizationId: string,
  integration: IntegrationSnapshot,
): Promise<string> {
  const { envelope } = integration.secret;
  const context = vendorKeyContext(organizationId, integration);
  return (await openSecret(await unwrapEnvelope(envelope, context, keyControl.keyring))).reveal();
}

/** The same of a stored version, for its integration as it is stored. */
export async function openStoredKey(
  world: World,
  { organizationId, integrationId: id, version, envelope }: typeof integrationSecrets.$inferSelect,
): Promise<string> {
  const integration = await findIntegration(world.db, organizationId, { id });
  if (integration === null) throw new Error("There is no such integration.");
  return openVendorKey(world, organizationId, integrationSnapshot(integration, { version, envelope }));
}

/**
 * The API over a real SQL endpoint and a data plane that records.
 *
 * @param open the database behind it; absent: PGlite, which is one session and so does one thing at a time.
 */
export async function createWorld(
  open: () => Promise<SqlBackend> = () => openPglite("memory://"),
): Promise<World> {
  const password = crypto.randomUUID();
  const backend = await open();
  await migrateBackend(backend);
  const endpoint = await startSqlEndpoint({ backend, password });
  const db = openDatabase(`postgres://relaykey:${password}@localhost/relaykey`, endpoint.url);
  const keys = await deriveLocalKeys(randomKey());
  const tagKey = await importTagKey(randomKey());
  const chainSigner = await openSigner(randomKey());
  const keyControl = new RecordingKeyControl();
  keyControl.keyring = { local: [keys], openForCustomer: null };
  const logged: string[] = [];
  const mails: MailMessage[] = [];
  let skew = 0;
  const deps: ServiceDependencies = {
    db,
    keyControl,
    now: () => Date.now() + skew,
    sendMail: (message) => {
      mails.push(message);
      return Promise.resolve();
    },
    sealingKey: keys.publicKey,
    tagKey,
    chainKeys: [chainSigner.publicKey],
    controlKey: await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
    controlUrl: "https://relaykey.example",
    development: false,
    stripe: null,
    proxyUrl: "https://proxy.relaykey.example",
    log: (level, event, fields) => logged.push(JSON.stringify({ level, event, ...fields })),
  };
  const api = createApi(deps);

  const caller =
    (authorization: string | null, ip = TEST_ADDRESS): Client =>
    async (method, path, body, headers = {}) => {
      const response = await api.request(
        `/api/v1${path}`,
        {
          method,
          headers: {
            ...(authorization === null ? {} : { Authorization: authorization }),
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        },
        { requestId: newId(), ip },
      );
      const text = await response.text();
      expectDocumented(method, path, { status: response.status, headers: response.headers, text });
      return {
        status: response.status,
        headers: response.headers,
        body: parseOrEmpty(text),
        text,
      };
    };

  return {
    db,
    deps,
    keyControl,
    chainSigner,
    keys,
    api,
    logged,
    mails,
    advance: (ms) => {
      skew += ms;
    },
    organization: async (kind = "standard") => {
      const id = newId();
      const minted = await mintToken("mgmt", null, tagKey);
      await createOrganization(db, {
        organization: { id, name: `organization ${id.slice(-6)}` },
        token: {
          id: newId(),
          organizationId: id,
          name: "test",
          kind,
          tokenHash: minted.hash,
          display: minted.display,
        },
        event: {
          organizationId: id,
          actor: { kind: "system", id: null },
          via: "system",
          ip: null,
          action: "organization.created",
          subjectKind: "organization",
          subjectId: id,
          metadata: {},
        },
      });
      const token = minted.token.reveal();
      return { id, token, client: caller(`Bearer ${token}`) };
    },
    person: async (organizationId, role) => {
      const id = newId();
      await db.insert(users).values({ id, email: `${id}@example.com` });
      await db.insert(memberships).values({ id: newId(), organizationId, userId: id, role });
      return {
        organizationId,
        actor: { kind: "user", id },
        via: "dashboard",
        ip: "203.0.113.9",
        role,
        token: null,
        isStrong: true,
      };
    },
    admin: async (organizationId) => {
      const minted = await mintToken("mgmt", null, tagKey);
      const token = { name: "test", kind: "standard", role: "admin", display: minted.display } as const;
      await db
        .insert(managementTokens)
        .values({ id: newId(), organizationId, tokenHash: minted.hash, ...token });
      return caller(`Bearer ${minted.token.reveal()}`);
    },
    domain: async (organizationId) => {
      const domain = `${newId()}.example`;
      await db.insert(domainClaims).values({ id: newId(), organizationId, domain });
      return domain;
    },
    caller,
    close: async () => {
      await endpoint.close();
      await backend.close();
    },
  };
}

/** An export is no JSON, and an answer to HEAD is empty. */
function parseOrEmpty(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function randomKey(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}
