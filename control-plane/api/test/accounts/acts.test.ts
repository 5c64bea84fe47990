import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type * as webauthn from "@simplewebauthn/server";
import { newId } from "@relaykey/core/ids";
import { passkeys } from "@relaykey/db/schema/access";
import * as passkeyService from "../../../service/account/passkeys.ts";
import type { Person } from "../../../service/account/person.ts";
import { newToken } from "../../../service/account/secrets.ts";
import * as sessionService from "../../../service/account/sessions.ts";
import * as signInService from "../../../service/account/sign-in.ts";
import * as signUpService from "../../../service/account/sign-up.ts";
import type { Caller } from "../../../service/caller.ts";
import * as deletionService from "../../../service/deletion.ts";
import * as domainService from "../../../service/domains.ts";
import * as invitationService from "../../../service/invitations.ts";
import * as memberService from "../../../service/members.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { watchWrites } from "../writes.ts";
import type { Writes } from "../writes.ts";
import {
  again,
  callerOf,
  founder,
  signIn,
  signInMails,
  somewhere,
  tokenOf,
  unique,
  value,
} from "./people.ts";

// A real authenticator is in the browser tests; here it only has to have said yes.
vi.mock("@simplewebauthn/server", async (importOriginal) => ({
  ...(await importOriginal<typeof webauthn>()),
  verifyRegistrationResponse: () =>
    Promise.resolve({
      verified: true,
      registrationInfo: {
        credential: { id: crypto.randomUUID(), publicKey: new Uint8Array(8), counter: 0, transports: [] },
        credentialBackedUp: false,
      },
    }),
  verifyAuthenticationResponse: () =>
    Promise.resolve({ verified: true, authenticationInfo: { newCounter: 1 } }),
}));

/** What people do to their accounts, sessions and organizations: all that these modules export is tried. */
const MODULES = [
  passkeyService,
  sessionService,
  signInService,
  signUpService,
  domainService,
  invitationService,
  memberService,
  deletionService,
];

let world: World;
let seenWrites: () => Promise<Writes>;

beforeAll(async () => {
  world = await createWorld();
  seenWrites = await watchWrites(world.db);
}, 120_000);

afterAll(() => world.close());

interface Someone {
  readonly person: Person;
  readonly caller: Caller;
  /** Of their session. */
  readonly token: string;
}

/** Does something; what it does is what is looked at. */
type Act = () => Promise<unknown>;
/** Gets ready, and returns the act. */
type Trial = (someone: Someone) => Promise<Act> | Act;

async function askedIn(email: string) {
  const origin = somewhere();
  const browserToken = newToken();
  value(await signInService.askToSignIn(world.deps, origin, { email, browserToken }));
  const mail = signInMails(world, email).at(-1);
  if (mail === undefined) throw new Error("No mail was sent.");
  return { browser: { ...origin, browserToken, formerToken: null }, mail };
}

async function enrolled({ person }: Someone): Promise<string> {
  const id = newId();
  await world.db.insert(passkeys).values({
    id,
    userId: person.userId,
    credentialId: id,
    publicKey: "AAAA",
    counter: 0,
    transports: [],
    name: "Laptop",
  });
  return id;
}

function invitationToken(email: string): string {
  const mail = world.mails.filter((sent) => sent.kind === "invitation" && sent.to === email).at(-1);
  if (mail?.kind !== "invitation") throw new Error("No invitation was mailed.");
  return mail.link.slice(mail.link.lastIndexOf("/") + 1);
}

async function invitedTo({ caller }: Someone, email = unique()): Promise<string> {
  return value(await invitationService.inviteMember(world.deps, caller, { email, role: "viewer" })).id;
}

async function joined(someone: Someone): Promise<Someone & { readonly memberId: string }> {
  const email = unique();
  await invitedTo(someone, email);
  const { person, token } = await signIn(world, email);
  value(await invitationService.acceptInvitation(world.deps, person, invitationToken(email)));
  const seen = await again(world, token);
  const page = value(
    await memberService.listMembers(world.deps, someone.caller, { limit: 50, cursor: null }),
  );
  const member = page.entries.find(({ userId }) => userId === seen.userId);
  return { person: seen, caller: callerOf(seen), token, memberId: member?.id ?? "" };
}

/** By the name of what is exported. Each leaves its trace in the transaction that does it. */
const ACTS: Readonly<Record<string, Trial>> = {
  finishEnrollment:
    ({ person }) =>
    () =>
      passkeyService.finishEnrollment(world.deps, person, { name: "Phone", response: {} }),
  renamePasskey: async (someone) => {
    const id = await enrolled(someone);
    return () => passkeyService.renamePasskey(world.deps, someone.person, { id, name: "Desk" });
  },
  removePasskey: async (someone) => {
    const id = await enrolled(someone);
    return () => passkeyService.removePasskey(world.deps, someone.person, id);
  },
  endSession:
    ({ person }) =>
    () =>
      sessionService.endSession(world.deps, person, person.sessionId),
  endSessions:
    ({ person }) =>
    () =>
      sessionService.endSessions(world.deps, person, "all"),
  signOut:
    ({ token }) =>
    () =>
      sessionService.signOut(world.deps, token, somewhere()),
  signInByLink: async ({ person }) => {
    const { browser, mail } = await askedIn(person.email);
    return () => signInService.signInByLink(world.deps, browser, tokenOf(mail));
  },
  signInByCode: async ({ person }) => {
    const { browser, mail } = await askedIn(person.email);
    return () => signInService.signInByCode(world.deps, browser, mail.code);
  },
  openOwnOrganization:
    ({ person }) =>
    () =>
      signUpService.openOwnOrganization(world.deps, person, { name: "Another" }),
  claimOwnDomain: async ({ person, caller }) => {
    const domain = person.email.slice(person.email.indexOf("@") + 1);
    value(await domainService.releaseDomain(world.deps, caller, domain));
    return () => domainService.claimOwnDomain(world.deps, caller, person);
  },
  releaseDomain:
    ({ person, caller }) =>
    () =>
      domainService.releaseDomain(world.deps, caller, person.email.slice(person.email.indexOf("@") + 1)),
  inviteMember:
    ({ caller }) =>
    () =>
      invitationService.inviteMember(world.deps, caller, { email: unique(), role: "viewer" }),
  resendInvitation: async (someone) => {
    const id = await invitedTo(someone);
    return () => invitationService.resendInvitation(world.deps, someone.caller, id);
  },
  revokeInvitation: async (someone) => {
    const id = await invitedTo(someone);
    return () => invitationService.revokeInvitation(world.deps, someone.caller, id);
  },
  acceptInvitation: async (someone) => {
    const email = unique();
    await invitedTo(someone, email);
    const { person } = await signIn(world, email);
    return () => invitationService.acceptInvitation(world.deps, person, invitationToken(email));
  },
  changeMemberRole: async (someone) => {
    const { memberId } = await joined(someone);
    return () => memberService.changeMemberRole(world.deps, someone.caller, memberId, "admin");
  },
  removeMember: async (someone) => {
    const { memberId } = await joined(someone);
    return () => memberService.removeMember(world.deps, someone.caller, memberId);
  },
  leaveOrganization: async (someone) => {
    const { caller } = await joined(someone);
    return () => memberService.leaveOrganization(world.deps, caller);
  },
  requestDeletion: ({ person, caller }) => {
    const name = `Organization of ${person.email}`;
    return () => deletionService.requestDeletion(world.deps, caller, name);
  },
  cancelDeletion: async ({ person, caller }) => {
    value(await deletionService.requestDeletion(world.deps, caller, `Organization of ${person.email}`));
    return () => deletionService.cancelDeletion(world.deps, caller);
  },
};

/** By the name of what is exported: nothing of theirs is an act. They are tried, too. */
const NO_ACTS: Readonly<Record<string, Trial>> = {
  relyingParty: () => () => Promise.resolve(passkeyService.relyingParty(world.deps)),
  listOwnPasskeys:
    ({ person }) =>
    () =>
      passkeyService.listOwnPasskeys(world.deps, person),
  beginEnrollment:
    ({ person }) =>
    () =>
      passkeyService.beginEnrollment(world.deps, person),
  beginAssertion: async (someone) => {
    await enrolled(someone);
    return () => passkeyService.beginAssertion(world.deps, someone.person);
  },
  finishAssertion: async (someone) => {
    const id = await enrolled(someone);
    return () => passkeyService.finishAssertion(world.deps, someone.person, { id });
  },
  findPerson:
    ({ token }) =>
    () =>
      sessionService.findPerson(world.deps, token, somewhere()),
  listOwnSessions:
    ({ person }) =>
    () =>
      sessionService.listOwnSessions(world.deps, person),
  listOwnOrganizations:
    ({ person }) =>
    () =>
      sessionService.listOwnOrganizations(world.deps, person),
  switchOrganization:
    ({ person, caller }) =>
    () =>
      sessionService.switchOrganization(world.deps, person, caller.organizationId),
  askToSignIn:
    ({ person }) =>
    () =>
      askedIn(person.email),
  lookAtLink: async ({ person }) => {
    const { browser, mail } = await askedIn(person.email);
    return () => signInService.lookAtLink(world.deps, tokenOf(mail), browser.browserToken);
  },
  domainStanding:
    ({ person }) =>
    () =>
      signUpService.domainStanding(world.deps, person),
  askToJoin:
    ({ person }) =>
    () =>
      signUpService.askToJoin(world.deps, person),
  listDomains:
    ({ caller }) =>
    () =>
      domainService.listDomains(world.deps, caller),
  showInvitation: async (someone) => {
    const id = await invitedTo(someone);
    return () => invitationService.showInvitation(world.deps, someone.caller, id);
  },
  listInvitations:
    ({ caller }) =>
    () =>
      invitationService.listInvitations(world.deps, caller, { limit: 5, cursor: null }),
  lookAtInvitation: async (someone) => {
    const email = unique();
    await invitedTo(someone, email);
    return () => invitationService.lookAtInvitation(world.deps, null, invitationToken(email));
  },
  showMember: async (someone) => {
    const { memberId } = await joined(someone);
    return () => memberService.showMember(world.deps, someone.caller, memberId);
  },
  listMembers:
    ({ caller }) =>
    () =>
      memberService.listMembers(world.deps, caller, { limit: 5, cursor: null }),
  // Nothing is due: what is, goes with its log.
  deleteDueOrganizations: () => () => deletionService.deleteDueOrganizations(world.deps),
};

test("all that people can do to their accounts and organizations is tried here", () => {
  const exported = MODULES.flatMap((module) =>
    Object.entries(module).flatMap(([name, what]) => (typeof what === "function" ? [name] : [])),
  );
  expect([...Object.keys(ACTS), ...Object.keys(NO_ACTS)].sort()).toEqual(exported.sort());
});

describe("an act is in the admin log, in its own transaction", () => {
  test.each(Object.entries(ACTS))("%s", async (_, trial) => {
    const act = await trial(await founder(world));
    await seenWrites();
    expect(await act()).not.toMatchObject({ ok: false });
    const { written, unaccounted } = await seenWrites();
    expect(written).not.toEqual([]);
    expect(unaccounted).toEqual([]);
  });
});

describe("what is no act changes nothing that acts change", () => {
  test.each(Object.entries(NO_ACTS))("%s", async (_, trial) => {
    const call = await trial(await founder(world));
    await seenWrites();
    await call();
    expect(await seenWrites()).toEqual({ written: [], unaccounted: [], told: 0 });
  });
});

test("what could not be done leaves no event", async () => {
  const { person } = await founder(world);
  const { caller } = await founder(world);
  const nothing = newId();
  await seenWrites();
  await passkeyService.renamePasskey(world.deps, person, { id: nothing, name: "x" });
  await passkeyService.removePasskey(world.deps, person, nothing);
  await sessionService.endSession(world.deps, person, nothing);
  await memberService.removeMember(world.deps, caller, nothing);
  await sessionService.signOut(world.deps, newToken(), somewhere());
  expect((await seenWrites()).told).toBe(0);
});
