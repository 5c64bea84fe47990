import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../control-plane/api/routes/index.ts";
import { startReceiver } from "../control-plane/api/test/receiver.ts";
import type { Receiver } from "../control-plane/api/test/receiver.ts";
import { createWorld } from "../control-plane/api/test/world.ts";
import type { World } from "../control-plane/api/test/world.ts";
import { createProgram } from "./program.ts";
import { runHere } from "./test/in-process.ts";
import { serveApi, startRk } from "./test/process.ts";
import type { Run } from "./test/process.ts";
import { NOTHING, thingsOf } from "./test/things.ts";
import type { Things } from "./test/things.ts";

/** One way to call an operation from the command line. */
interface Example {
  /** The command; what is a function is a thing that must be there first. */
  readonly args: (things: Things) => readonly string[] | Promise<readonly string[]>;
  /** Standard input. */
  readonly input?: string;
  /** What it prints for people, wherever. */
  readonly says: RegExp;
  /** A line of JSON each instead of one document. */
  readonly lines?: true;
}

const KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SCOPE = ["--integration", "openai", "--allow", "GET /v1/models"];

/** Every operation of the management API, and the command that calls it. */
const COMMANDS: Readonly<Record<string, Example>> = {
  whoami: { args: () => ["whoami"], says: /organization .*role +admin/s },
  createOrganization: { args: () => ["organization", "create", "Acme"], says: /Created Acme.*rk_mgmt_/s },
  showOrganization: { args: () => ["organization", "show"], says: /^name +organization /m },
  changeOrganization: {
    args: () => [
      "organization",
      "confirmation",
      "--number-matching",
      "--trust-days",
      "30",
      "--preapprove",
      "10.0.0.0/8",
    ],
    says: /"trust_days":30,"preapproved":\["10\.0\.0\.0\/8"\].*"number_matching":true/,
  },
  freezeOrganization: { args: () => ["organization", "freeze"], says: /frozen +true/ },
  unfreezeOrganization: { args: () => ["organization", "unfreeze"], says: /frozen +false/ },
  enforceOrganization: { args: () => ["organization", "enforce"], says: /^In force\.$/m },
  listMembers: {
    args: async (things) => (await things.member(), ["members", "list"]),
    says: /^EMAIL +ROLE.*@example\.com +viewer/s,
  },
  showMember: {
    args: async (things) => ["members", "show", await things.member()],
    says: /email +\S+@example\.com\nrole +viewer/,
  },
  changeMember: {
    args: async (things) => ["members", "change", await things.member(), "--role", "admin"],
    says: /role +admin/,
  },
  removeMember: {
    args: async (things) => ["members", "remove", await things.member()],
    says: /^Removed .*@example\.com\.$/m,
  },
  listInvitations: {
    args: async (things) => (await things.invitation(), ["invitations", "list"]),
    says: /^EMAIL.*@example\.com +viewer/s,
  },
  showInvitation: {
    args: async (things) => ["invitations", "show", await things.invitation()],
    says: /email +\S+@example\.com\nrole +viewer/,
  },
  createInvitation: {
    args: () => ["invitations", "create", "grace@example.com", "--role", "admin"],
    says: /email +grace@example\.com\nrole +admin/,
  },
  resendInvitation: {
    args: async (things) => ["invitations", "resend", await things.invitation()],
    says: /email +\S+@example/,
  },
  revokeInvitation: {
    args: async (things) => ["invitations", "revoke", await things.invitation()],
    says: /Withdrawn: the invitation of \S+@example\.com/,
  },
  listDomains: {
    args: async (things) => (await things.domain(), ["domains", "list"]),
    says: /^DOMAIN.*\.example /s,
  },
  releaseDomain: {
    args: async (things) => ["domains", "release", await things.domain()],
    says: /^Released .*\.$/m,
  },
  createIntegration: {
    args: () => ["integrations", "create", "openai", "--secret-stdin"],
    input: "sk-vendor",
    says: /slug +openai/,
  },
  listIntegrations: {
    args: async (things) => (await things.integration(), ["integrations", "list"]),
    says: /^SLUG.*openai/s,
  },
  showIntegration: {
    args: async (things) => ["integrations", "show", await things.integration()],
    says: /slug +openai/,
  },
  changeIntegration: {
    args: async (things) => ["integrations", "change", await things.integration(), "--disable"],
    says: /enabled +false/,
  },
  deleteIntegration: {
    args: async (things) => ["integrations", "delete", await things.integration()],
    says: /^Deleted openai\.$/m,
  },
  rotateIntegration: {
    args: async (things) => ["integrations", "rotate", await things.integration(), "--secret-stdin"],
    input: "sk-second",
    says: /secret_version +2/,
  },
  rollBackIntegration: {
    args: async (things) => ["integrations", "rollback", await things.rotated()],
    says: /secret_version +1/,
  },
  listVendorKeyVersions: {
    args: async (things) => ["integrations", "versions", await things.integration()],
    says: /^VERSION/,
  },
  testIntegration: {
    args: async (things) => ["integrations", "test", await things.integration()],
    says: /^accepted /,
  },
  createHolder: {
    args: () => ["holders", "create", "ada", "--kind", "person", "--email", "ada@example.com"],
    says: /email +ada@example\.com/,
  },
  listHolders: { args: async (things) => (await things.holder(), ["holders", "list"]), says: /^NAME.*ci /s },
  showHolder: { args: async (things) => ["holders", "show", await things.holder()], says: /name +ci/ },
  changeHolder: {
    args: async (things) => [
      "holders",
      "change",
      await things.holder(),
      "--rate",
      "5/minute",
      "--no-trust-first-use",
    ],
    says: /"rate":"5\/m".*"trust_on_first_use":false/s,
  },
  deleteHolder: {
    args: async (things) => ["holders", "delete", await things.holder()],
    says: /^Deleted ci\.$/m,
  },
  freezeHolder: {
    args: async (things) => ["holders", "freeze", await things.holder()],
    says: /frozen +true/,
  },
  unfreezeHolder: {
    args: async (things) => ["holders", "unfreeze", await things.holder()],
    says: /frozen +false/,
  },
  createKey: {
    args: async (things) => {
      await things.integration();
      return ["keys", "create", ...SCOPE, "--holder", await things.holder()];
    },
    says: /shown this once:\n.*rk_proxy_/s,
  },
  listKeys: { args: async (things) => (await things.key(), ["keys", "list"]), says: /^NAME.*active/s },
  showKey: { args: async (things) => ["keys", "show", await things.key()], says: /state +active/ },
  changeKey: {
    args: async (things) => ["keys", "change", await things.key(), "--name", "another"],
    says: /name +another/,
  },
  inspectKey: { args: async (things) => ["keys", "inspect", await things.key()], says: /version/ },
  showReceipts: { args: async (things) => ["keys", "receipts", await things.key()], says: /^VERSION/ },
  revokeKey: { args: async (things) => ["keys", "revoke", await things.key()], says: /state +revoked/ },
  rerollKey: {
    args: async (things) => ["keys", "reroll", await things.key()],
    says: /goes on until.*rk_proxy_/s,
  },
  freezeKey: { args: async (things) => ["keys", "freeze", await things.key()], says: /state +frozen/ },
  unfreezeKey: { args: async (things) => ["keys", "unfreeze", await things.key()], says: /state +active/ },
  revokeKeys: {
    args: async (things) => ["keys", "revoke-many", await things.key(), "--yes"],
    says: /^Revoked 1 key\.$/m,
  },
  listAuditEvents: { args: () => ["audit", "query", "--status", "4xx"], says: /Nothing here/ },
  exportAuditEvents: {
    args: () => ["audit", "export", "--path-prefix", "/v1"],
    says: /^0 events\.$/m,
    lines: true,
  },
  getAuditChain: { args: () => ["audit", "chain"], says: /^state +(?:empty|unchecked|verified)$/m },
  exportAuditProof: {
    args: () => ["audit", "proof", "--path-prefix", "/v1"],
    says: /"type":"end","entries":0,"events":0/,
    lines: true,
  },
  listAdminEvents: {
    args: async (things) => (
      await things.holder(),
      ["admin-events", "--via", "api", "--subject-kind", "holder"]
    ),
    says: /holder\.created/,
  },
  showNetworks: { args: async (things) => ["networks", "list", await things.holder()], says: /Nothing here/ },
  approveNetwork: {
    args: async (things) => ["networks", "approve", await things.holder(), "203.0.113.0/24"],
    says: /^Trusted: 203\.0\.113\.0\/24\.$/m,
  },
  removeNetwork: {
    args: async (things) => ["networks", "remove", await things.holder(), "203.0.113.0/24"],
    says: /^Not trusted any more: 203/m,
  },
  dismissPending: {
    args: async (things) => ["networks", "dismiss", await things.holder(), "pending-1"],
    says: /^Dismissed\.$/m,
  },
  dryRunPolicy: {
    args: async (things) => ["dry-run", "GET", "/v1/models", "--key", await things.key()],
    says: /^allowed$/m,
  },
  listCatalogue: { args: () => ["catalogue"], says: /^SLUG.*openai +OpenAI/s },
  createToken: {
    args: () => [
      "tokens",
      "create",
      "reader",
      "--role",
      "viewer",
      "--allow",
      "GET /keys",
      "--ip",
      "10.0.0.0/8",
    ],
    says: /Made the token reader.*rk_mgmt_/s,
  },
  listTokens: { args: async (things) => (await things.token(), ["tokens", "list"]), says: /^NAME.*another/s },
  showToken: { args: async (things) => ["tokens", "show", await things.token()], says: /name +another/ },
  revokeToken: {
    args: async (things) => ["tokens", "revoke", await things.token()],
    says: /revoked_at +\d{4}-/,
  },
  createWebhook: {
    args: () => [
      "webhooks",
      "create",
      "https://hooks.example.com/a",
      "--type",
      "key.frozen",
      "--description",
      "pager",
    ],
    says: /shown this once:\n.*whsec_/s,
  },
  listWebhooks: {
    args: async (things) => (await things.webhook(), ["webhooks", "list"]),
    says: /^URL.* all +enabled/s,
  },
  showWebhook: {
    args: async (things) => ["webhooks", "show", await things.webhook()],
    says: /enabled +true/,
  },
  changeWebhook: {
    args: async (things) => [
      "webhooks",
      "change",
      await things.webhook(),
      "--type",
      "key.frozen",
      "--disable",
    ],
    says: /types +key\.frozen\nenabled +false/,
  },
  deleteWebhook: {
    args: async (things) => ["webhooks", "delete", await things.webhook()],
    says: /^Deleted http:/m,
  },
  rotateWebhookSecret: {
    args: async (things) => ["webhooks", "rotate-secret", await things.webhook()],
    says: /shown this once:\n.*whsec_/s,
  },
  testWebhook: {
    args: async (things) => ["webhooks", "test", await things.webhook()],
    says: /state +delivered/,
  },
  listDeliveries: {
    args: async (things) => [
      "webhooks",
      "deliveries",
      (await things.delivery()).webhook,
      "--status",
      "delivered",
    ],
    says: /webhook\.test +delivered/,
  },
  replayDelivery: {
    args: async (things) => {
      const { webhook, delivery } = await things.delivery();
      return ["webhooks", "replay", webhook, "--delivery", delivery];
    },
    says: /state +delivered/,
  },
  replayWebhook: {
    args: async (things) => ["webhooks", "replay", await things.webhook(), "--since", "2h"],
    says: /^Waiting to be sent: 0\.$/m,
  },
  listNotices: {
    args: async (things) => (await things.notice(), ["notices", "list", "--unseen", "--type", "key.created"]),
    says: /key\.created +A key was issued +no/,
  },
  markNoticesSeen: {
    args: async (things) => ["notices", "seen", "--up-to", await things.notice()],
    says: /^Marked as seen: 1\.$/m,
  },
  showCustody: {
    args: async (things) => (await things.integration(), ["custody", "show"]),
    says: /the proxy's own key\.\nINTEGRATION.*local.*current/s,
  },
  changeCustody: { args: () => ["custody", "unset"], says: /the proxy's own key\./ },
  goOnRewrapping: { args: () => ["custody", "rewrap"], says: /the proxy's own key\./ },
  showPlan: { args: () => ["plan", "show"], says: /is kept for 365 days\.\nWHAT.*webhook endpoints/s },
  setPlan: { args: () => ["plan", "set", "team"], says: /In force.*plan +team/s },
};

/** Operations of commands that have tests of their own, because more than one call makes them. */
const TRIED_ELSEWHERE: Readonly<Record<string, string>> = {
  startDeviceLogin: "login",
  pollDeviceLogin: "login",
  endOwnToken: "logout",
};

/** Operations without a command, and why. */
const NO_COMMAND: Readonly<Record<string, string>> = {
  showDocument: "Generators of clients read it: it needs no token, so any HTTP client does.",
  listErrors: "A reference for programs; a person sees each error where it happens.",
  testNewIntegration:
    "Tries a vendor key for an integration that is not there yet: integrations create, then test.",
};

/** Commands that call no operation of their own. */
const LOCAL = [
  "audit verify",
  "login",
  "logout",
  "profiles list",
  "profiles use",
  "run",
  "env",
  "completion",
  "audit tail",
];

/** Another way to an operation that has one. */
const FURTHER: Readonly<Record<string, Example>> = {
  "custody set": {
    args: () => ["custody", "set", KEY_ARN, "--public-key", join(folder, "key.pem")],
    says: /the proxy's own key and arn:aws:kms:eu-central-1:/,
  },
  "audit list": { args: () => ["audit", "list", "--decision", "blocked"], says: /Nothing here/ },
  "organization rename": { args: () => ["organization", "rename", "Acme"], says: /name +Acme/ },
  "tokens create-provisioner": {
    args: async (things) => [
      ...[
        "tokens",
        "create-provisioner",
        "ci",
        "--integration",
        await things.integration(),
        "--allow",
        "GET /v1/**",
      ],
      ...["--max-ttl", "1h", "--max-alive", "3", "--holder", await things.holder(), "--within", "10.0.0.0/8"],
      ...["--max-rate", "10/minute", "--ip", "192.0.2.0/24", "--expires", "7d"],
    ],
    says: /Made the provisioner ci.*rk_mgmt_/s,
  },
};

let world: World;
let server: Server;
let url: string;
let receiver: Receiver;
let folder: string;
let called: string[] = [];

beforeAll(async () => {
  world = await createWorld();
  Object.assign(world.keyControl, {
    dismissPending: () => Promise.resolve(true),
    removeNetwork: () => Promise.resolve(true),
  });
  receiver = await startReceiver();
  folder = mkdtempSync(join(tmpdir(), "relaykey-cli-"));
  const { privateKey: key, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  writeFileSync(join(folder, "key.pem"), publicKey.export({ type: "spki", format: "pem" }));
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  world.keyControl.keyring = {
    ...world.keyControl.keyring,
    openForCustomer: (_, wrapped) =>
      Promise.resolve(new Uint8Array(privateDecrypt({ key, padding, oaepHash: "sha256" }, wrapped))),
  };
  // Development admits a receiver on this machine.
  Object.assign(world.deps, { development: true });
  ({ server, url } = await serveApi(world, ({ method = "", url: path = "" }) => {
    called.push(operationOf(method, path));
    return true;
  }));
}, 120_000);

afterAll(async () => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
  await receiver.close();
  await world.close();
});

function operationOf(method: string, url: string): string {
  const path = (url.split("?")[0] ?? "").replace(/^\/api\/v1/, "");
  const fits = ROUTES.filter(
    (route) =>
      route.method === method && new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  // A path of its own goes before one with a parameter.
  return (
    fits.sort((left, right) => left.path.split("{").length - right.path.split("{").length)[0]?.id ?? path
  );
}

function rk(args: readonly string[], token: string, input?: string): Promise<Run> {
  const env = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token, HOME: folder };
  called = [];
  return input === undefined ? runHere(args, env) : startRk(args, { cwd: folder, env, input }).ended;
}

async function fresh(): Promise<{ readonly token: string; readonly things: Things }> {
  const organization = await world.organization("bootstrap");
  const client = world.caller(`Bearer ${organization.token}`);
  return { token: organization.token, things: thingsOf(world, { ...organization, client }, receiver.url) };
}

const ALL = Object.entries({ ...COMMANDS, ...FURTHER });

test("every operation of the API has a command, or a reason why not", () => {
  const known = [COMMANDS, TRIED_ELSEWHERE, NO_COMMAND].flatMap((table) => Object.keys(table));
  expect(known.toSorted()).toEqual(ROUTES.map(({ id }) => id).toSorted());
});

test("every command is tried here, or is local", async () => {
  const tried = await Promise.all(ALL.map(async ([, { args }]) => (await args(NOTHING)).join(" ")));
  const missing = leaves(createProgram()).filter(
    (name) => !LOCAL.includes(name) && !tried.some((line) => `${line} `.startsWith(`${name} `)),
  );
  expect(missing).toEqual([]);
});

/** Names of all commands, without the hidden ones. */
function leaves(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(" ")];
  return command.commands
    .filter((each) => !each.name().startsWith("_"))
    .flatMap((each) => leaves(each, [...path, each.name()]));
}

describe.each(ALL)("%s", (operation, { args, input, says, lines }) => {
  test("for people, and as JSON", async () => {
    const { token, things } = await fresh();
    const run = await rk(await args(things), token, input);
    expect(run, run.err).toMatchObject({ code: 0 });
    expect(run.err + run.out).toMatch(says);
    if (operation in COMMANDS) expect(called).toContain(operation);

    const other = await fresh();
    const json = await rk([...(await args(other.things)), "--json"], other.token, input);
    expect(json, json.err).toMatchObject({ code: 0 });
    const documents = lines === true ? json.out.split("\n").filter((line) => line !== "") : [json.out];
    for (const document of documents) expect(JSON.parse(document)).toBeTypeOf("object");
  });

  test("a refusal is exit code 1 with a sentence, or the problem as JSON", async () => {
    const { token } = await fresh();
    await world.caller(`Bearer ${token}`)("DELETE", "/whoami");
    const run = await rk(await args(NOTHING), token, input);
    expect(run).toMatchObject({ code: 1, out: "" });
    expect(run.err).toMatch(/^rk: .*revoked/);
    const json = await rk([...(await args(NOTHING)), "--json"], token, input);
    expect(json).toMatchObject({ code: 1, out: "" });
    expect(JSON.parse(json.err)).toMatchObject({ code: "token_revoked" });
  });
});
