import { listDomains, releaseDomain } from "../../service/domains.ts";
import {
  inviteMember,
  listInvitations,
  resendInvitation,
  revokeInvitation,
  showInvitation,
} from "../../service/invitations.ts";
import { changeMemberRole, listMembers, removeMember, showMember } from "../../service/members.ts";
import { presentDomain, presentInvitation, presentMember, presentPage } from "../presenters.ts";
import { answered, route } from "../route.ts";
import { pageRequest } from "../schemas/fields.ts";
import {
  domainAnswer,
  domainList,
  domainParams,
  invitationAnswer,
  invitationInput,
  invitationPage,
  invitationParams,
  invitationQuery,
  memberAnswer,
  memberChange,
  memberPage,
  memberParams,
  memberQuery,
} from "../schemas/members.ts";

export const memberRoutes = [
  route({
    method: "GET",
    path: "/members",
    id: "listMembers",
    action: "member.read",
    tag: "Members",
    summary: "List members",
    query: memberQuery,
    answer: memberPage,
    statuses: [200],
    handle: async ({ deps, caller, query }) =>
      answered(await listMembers(deps, caller, pageRequest(query)), (page) => ({
        json: presentPage(page, presentMember),
      })),
  }),
  route({
    method: "GET",
    path: "/members/{member}",
    id: "showMember",
    action: "member.read",
    tag: "Members",
    summary: "Show a member",
    params: memberParams,
    answer: memberAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showMember(deps, caller, params.member), (member) => ({
        json: { member: presentMember(member) },
        revision: member.revision,
      })),
  }),
  route({
    method: "PATCH",
    path: "/members/{member}",
    id: "changeMember",
    action: "member.change",
    tag: "Members",
    summary: "Change a member's role",
    description: "The last admin stays one.",
    params: memberParams,
    body: memberChange,
    example: { role: "viewer" },
    answer: memberAnswer,
    statuses: [200],
    errors: ["last_admin"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(await changeMemberRole(deps, caller, params.member, body.role, expected), (member) => ({
        json: { member: presentMember(member) },
      })),
  }),
  route({
    method: "DELETE",
    path: "/members/{member}",
    id: "removeMember",
    action: "member.change",
    tag: "Members",
    summary: "Remove a member",
    description: "They see nothing of the organization any more, at once. The last admin stays.",
    params: memberParams,
    answer: memberAnswer,
    statuses: [200],
    errors: ["last_admin"],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await removeMember(deps, caller, params.member, expected), (member) => ({
        json: { member: presentMember(member) },
      })),
  }),
  route({
    method: "GET",
    path: "/invitations",
    id: "listInvitations",
    action: "invitation.read",
    tag: "Members",
    summary: "List open invitations",
    query: invitationQuery,
    answer: invitationPage,
    statuses: [200],
    handle: async ({ deps, caller, query }) =>
      answered(await listInvitations(deps, caller, pageRequest(query)), (page) => ({
        json: presentPage(page, presentInvitation),
      })),
  }),
  route({
    method: "POST",
    path: "/invitations",
    id: "createInvitation",
    action: "invitation.change",
    tag: "Members",
    summary: "Invite somebody",
    description:
      "They get a mail with a link that works for seven days, for that address only. It replaces an open invitation of the same address.",
    body: invitationInput,
    example: { email: "ada@example.com", role: "viewer" },
    answer: invitationAnswer,
    statuses: [201],
    errors: ["already_member", "too_many_tries"],
    // Whether the mail went out cannot be told: it goes out again.
    creates: async ({ deps, caller, made }) =>
      answered(await resendInvitation(deps, caller, made.id), (invitation) => ({
        json: { invitation: presentInvitation(invitation) },
      })),
    handle: async ({ deps, caller, body }) =>
      answered(await inviteMember(deps, caller, body), (invitation) => ({
        json: { invitation: presentInvitation(invitation) },
      })),
  }),
  route({
    method: "GET",
    path: "/invitations/{invitation}",
    id: "showInvitation",
    action: "invitation.read",
    tag: "Members",
    summary: "Show an open invitation",
    params: invitationParams,
    answer: invitationAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showInvitation(deps, caller, params.invitation), (invitation) => ({
        json: { invitation: presentInvitation(invitation) },
        revision: invitation.revision,
      })),
  }),
  route({
    method: "POST",
    path: "/invitations/{invitation}/resend",
    id: "resendInvitation",
    action: "invitation.change",
    tag: "Members",
    summary: "Send an invitation again",
    description: "With a new link; the one before is dead.",
    params: invitationParams,
    answer: invitationAnswer,
    statuses: [200],
    errors: ["too_many_tries"],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await resendInvitation(deps, caller, params.invitation, expected), (invitation) => ({
        json: { invitation: presentInvitation(invitation) },
      })),
  }),
  route({
    method: "DELETE",
    path: "/invitations/{invitation}",
    id: "revokeInvitation",
    action: "invitation.change",
    tag: "Members",
    summary: "Withdraw an invitation",
    params: invitationParams,
    answer: invitationAnswer,
    statuses: [200],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await revokeInvitation(deps, caller, params.invitation, expected), (invitation) => ({
        json: { invitation: presentInvitation(invitation) },
      })),
  }),
  route({
    method: "GET",
    path: "/domains",
    id: "listDomains",
    action: "domain.read",
    tag: "Members",
    summary: "List the mail domains that the organization holds",
    description:
      "New people with an address there need its invitation. Domains are claimed by people, in the dashboard.",
    answer: domainList,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await listDomains(deps, caller), (domains) => ({
        json: { data: domains.map(presentDomain) },
      })),
  }),
  route({
    method: "DELETE",
    path: "/domains/{domain}",
    id: "releaseDomain",
    action: "domain.change",
    tag: "Members",
    summary: "Release a domain",
    description: "Whoever signs up next with an address there may claim it.",
    params: domainParams,
    answer: domainAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await releaseDomain(deps, caller, params.domain), (domain) => ({
        json: { domain: presentDomain(domain) },
      })),
  }),
];
