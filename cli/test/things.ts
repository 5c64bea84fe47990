import { newId } from "@relaykey/core/ids";
import type { Client, World } from "../../control-plane/api/test/world.ts";

/** Ids of things that a command is tried on. Each is made when it is asked for. */
export interface Things {
  integration(): Promise<string>;
  /** One whose vendor key was replaced. */
  rotated(): Promise<string>;
  holder(): Promise<string>;
  key(): Promise<string>;
  token(): Promise<string>;
  member(): Promise<string>;
  invitation(): Promise<string>;
  domain(): Promise<string>;
  webhook(): Promise<string>;
  delivery(): Promise<{ readonly webhook: string; readonly delivery: string }>;
  notice(): Promise<string>;
}

/** None of them is there: for commands that are refused anyway. */
export const NOTHING: Things = {
  integration: () => Promise.resolve("openai"),
  rotated: () => Promise.resolve("openai"),
  holder: () => Promise.resolve("ci"),
  key: () => Promise.resolve(newId()),
  token: () => Promise.resolve(newId()),
  member: () => Promise.resolve(newId()),
  invitation: () => Promise.resolve(newId()),
  domain: () => Promise.resolve("example.com"),
  webhook: () => Promise.resolve(newId()),
  delivery: () => Promise.resolve({ webhook: newId(), delivery: newId() }),
  notice: () => Promise.resolve(newId()),
};

/** @param receiver where webhooks go. */
export function thingsOf(
  world: World,
  organization: { readonly id: string; readonly client: Client },
  receiver: string,
): Things {
  const { id: organizationId, client } = organization;
  const make = async (path: string, body: object, name: string): Promise<string> => {
    const answer = await client("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return (answer.body[name] as { id: string }).id;
  };
  const things: Things = {
    integration: async () => {
      await make("/integrations", { slug: "openai", secret: "sk-vendor" }, "integration");
      return "openai";
    },
    rotated: async () => {
      await client("POST", `/integrations/${await things.integration()}/rotate`, { secret: "sk-second" });
      return "openai";
    },
    holder: async () => {
      await make("/holders", { name: "ci", kind: "service" }, "holder");
      return "ci";
    },
    key: async () => {
      const [integration, holder] = [await things.integration(), await things.holder()];
      return make("/keys", { integration, holder, allow: ["GET /v1/models"] }, "key");
    },
    token: () => make("/tokens", { name: "another" }, "management_token"),
    member: async () => {
      await world.person(organizationId, "viewer");
      const { data } = (await client("GET", "/members")).body as { data: { id: string }[] };
      return data[0]?.id ?? "";
    },
    // Mail to one address is throttled, whichever organization asks.
    invitation: () => make("/invitations", { email: `${newId()}@example.com`, role: "viewer" }, "invitation"),
    domain: () => world.domain(organizationId),
    webhook: () => make("/webhooks", { url: receiver }, "webhook"),
    delivery: async () => {
      const webhook = await things.webhook();
      const sent = await client("POST", `/webhooks/${webhook}/test`);
      return { webhook, delivery: (sent.body["delivery"] as { id: string }).id };
    },
    notice: async () => {
      await things.key();
      const { data } = (await client("GET", "/notices")).body as { data: { id: string }[] };
      return data[0]?.id ?? "";
    },
  };
  return things;
}
