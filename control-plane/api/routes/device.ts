import { endOwnToken, pollDeviceLogin, startDeviceLogin } from "../../service/device-logins.ts";
import { showSelf } from "../../service/self.ts";
import { answered, publicRoute, route } from "../route.ts";
import { deletedAnswer } from "../schemas/answers.ts";
import {
  deviceCodeAnswer,
  deviceCodeInput,
  deviceTokenAnswer,
  deviceTokenInput,
  whoamiAnswer,
} from "../schemas/device.ts";

/** How a command line gets its management token, says whose it is, and gives it back. */
export const deviceRoutes = [
  publicRoute({
    method: "POST",
    path: "/device/code",
    id: "startDeviceLogin",
    tag: "Tokens",
    summary: "Begin to sign a device in (RFC 8628)",
    description: "An admin types the user code on the dashboard's page, and decides.",
    body: deviceCodeInput,
    example: { client: "rk on build-7" },
    answer: deviceCodeAnswer,
    statuses: [200],
    errors: ["rate_limited"],
    handle: async ({ deps, ip, body }) =>
      answered(await startDeviceLogin(deps, { client: body.client, ip }), (login) => ({
        json: {
          device_code: login.deviceCode,
          user_code: login.userCode,
          verification_uri: `${deps.controlUrl}/device`,
          verification_uri_complete: `${deps.controlUrl}/device?code=${login.userCode}`,
          expires_in: login.expiresInSeconds,
          interval: login.intervalSeconds,
        },
      })),
  }),
  publicRoute({
    method: "POST",
    path: "/device/token",
    id: "pollDeviceLogin",
    tag: "Tokens",
    summary: "Ask whether the device is let in (RFC 8628)",
    description: "The token is made by the first question after the approval.",
    body: deviceTokenInput,
    example: { device_code: "example-of-a-device-code-that-is-43-long-00" },
    answer: deviceTokenAnswer,
    statuses: [200],
    errors: ["authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant"],
    handle: async ({ deps, body }) =>
      answered(await pollDeviceLogin(deps, body.device_code), ({ token, expiresAt, organizationId }) => ({
        json: {
          access_token: token.reveal(),
          token_type: "Bearer" as const,
          expires_at: expiresAt,
          organization_id: organizationId,
        },
      })),
  }),
  route({
    method: "GET",
    path: "/whoami",
    id: "whoami",
    action: "token.own",
    tag: "Tokens",
    summary: "Show the token that asks",
    answer: whoamiAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await showSelf(deps, caller), ({ token, organization }) => ({
        json: {
          token: { id: token.id, kind: token.kind, role: caller.role, expires_at: token.expiresAt },
          organization: organization === null ? null : { id: organization.id, name: organization.name },
          proxy_url: deps.proxyUrl,
        },
      })),
  }),
  route({
    method: "DELETE",
    path: "/whoami",
    id: "endOwnToken",
    action: "token.own",
    tag: "Tokens",
    summary: "Revoke the token that asks",
    answer: deletedAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await endOwnToken(deps, caller), () => ({ json: { deleted: true as const } })),
  }),
];
