import { beforeAll, describe, expect, inject, test } from "vitest";
import { fetchFor } from "./call-from.ts";
import { signedIn } from "./dashboard/people.ts";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

/**
 * One address, whoever tells of it: the gate, its refusal, the mail, the audit log, the API and the dashboard. The trusted
 * front of the shared stack passes calls on for clients that no socket of this machine could be.
 */
const admin = new Admin(inject("local"));
const { proxy, outbox, controlPlane } = admin.local;
const HOME = "198.51.100.1";
const POLL = { timeout: 40_000, interval: 200 };

/** How a front may spell a client; its one address; what counts as one client. */
const CLIENTS: readonly (readonly [spelled: string, address: string, network: string])[] = [
  ["203.0.113.9", "203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.10", "203.0.113.10", "203.0.113.10"],
  ["::FFFF:CB00:710B", "203.0.113.11", "203.0.113.11"],
  ["64:ff9b::203.0.113.12", "203.0.113.12", "203.0.113.12"],
  ["2001:DB8:0:5:0:0:0:7", "2001:db8:0:5::7", "2001:db8:0:5::/64"],
  ["[2001:0db8:0000:0006:00a0::0001]", "2001:db8:0:6:a0::1", "2001:db8:0:6::/64"],
  ["100.64.1.2", "100.64.1.2", "100.64.1.2"],
];

interface Person {
  readonly id: string;
  readonly email: string;
  readonly key: IssuedKey;
}

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly confirmation?: { readonly address: string; readonly network: string };
}

interface Networks {
  readonly trusted: readonly { readonly network: string }[];
  readonly pending: readonly { readonly network: string; readonly request: { readonly address: string } }[];
}

async function person(confirmation: object = {}): Promise<Person> {
  const email = `ann-${crypto.randomUUID()}@example.org`;
  const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: email,
    kind: "person",
    email,
  });
  if (Object.keys(confirmation).length > 0) {
    await admin.call("PATCH", `/holders/${holder.id}`, { confirmation });
  }
  const key = await admin.createKey("echo", ["GET /**"], { holder: holder.id, ip: { mode: "confirm" } });
  expect((await call(key, HOME)).status).toBe(200);
  return { id: holder.id, email, key };
}

async function call(
  { token }: IssuedKey,
  from: string,
): Promise<{ status: number; requestId: string; body: Refusal }> {
  const response = await fetchFor(from)(`${proxy}/echo/x`, { headers: { Authorization: `Bearer ${token}` } });
  const requestId = response.headers.get("relaykey-request-id") ?? "";
  return { status: response.status, requestId, body: (await response.json()) as Refusal };
}

function networks({ id }: Person): Promise<Networks> {
  return admin.call<Networks>("GET", `/holders/${id}/networks`);
}

async function mailsTo(email: string): Promise<{ text: string; html: string }[]> {
  const response = await fetch(`${outbox}/messages?to=${encodeURIComponent(email)}`);
  const { data } = (await response.json()) as { data: { id: string; text: string; html: string }[] };
  return data;
}

let cookie = "";
async function dashboard(path: string): Promise<string> {
  const html = await (await fetch(`${controlPlane}${path}`, { headers: { Cookie: cookie } })).text();
  // What is shown, not what a script could make of it.
  return html.replaceAll(/<script[\s\S]*?<\/script>/g, "").replaceAll(/<[^>]*>/g, " ");
}

beforeAll(async () => {
  const { organization } = await admin.call<{ organization: { id: string } }>("GET", "/organization");
  ({ cookie } = await signedIn("admin", organization.id));
});

describe.each(CLIENTS)("%s", (spelled, address, network) => {
  let ann: Person;
  let refused: Awaited<ReturnType<typeof call>>;
  beforeAll(async () => {
    ann = await person();
    refused = await call(ann.key, spelled);
  });

  test(`is ${address} of ${network} in the refusal`, () => {
    expect(refused).toMatchObject({ status: 423, body: { confirmation: { address, network } } });
    expect(refused.body.detail).toContain(`from ${address} before`);
  });

  test("in the mail", async () => {
    await expect.poll(() => mailsTo(ann.email), POLL).toHaveLength(1);
    const [mail] = await mailsTo(ann.email);
    for (const text of [mail?.text, mail?.html]) {
      expect(text).toContain(address);
      if (spelled !== address) expect(text).not.toContain(spelled);
    }
  });

  test("in the audit log, and whoever looks for it by any spelling finds it", async () => {
    expect(await admin.event(refused.requestId)).toMatchObject({ ip: address, reason: "ip_unconfirmed" });
    for (const ip of [address, spelled]) {
      const query = `key=${ann.key.id}&ip=${encodeURIComponent(ip)}`;
      const { data } = await admin.call<{ data: { request_id: string }[] }>("GET", `/audit-events?${query}`);
      expect(data.map(({ request_id }) => request_id)).toEqual([refused.requestId]);
    }
  });

  test("in the API and in the dashboard", async () => {
    expect((await networks(ann)).pending).toMatchObject([{ network, request: { address } }]);
    expect(await dashboard(`/holders/${ann.id}`)).toContain(network);
    expect(await dashboard(`/audit/${refused.requestId}`)).toContain(address);
  });

  test("for the gate, once it is approved in the same spelling", async () => {
    const bare = spelled.replace(/^\[(.*)\]$/, "$1");
    const approved = await admin.call("POST", `/holders/${ann.id}/networks`, { network: bare });
    expect(approved).toEqual({ network, trusted: true });
    const { trusted, pending } = await networks(ann);
    expect(trusted.map((one) => one.network).sort()).toEqual([HOME, network].sort());
    expect(pending).toEqual([]);
    for (const from of [spelled, address]) expect((await call(ann.key, from)).status).toBe(200);
  });
});

describe.each([
  ["the address of every Worker", "2a06:98c0:3600::103", {}],
  ["its neighbour", "2a06:98c0:3600::104", {}],
  [
    "carrier-grade NAT, where the holder's settings name it",
    "100.64.3.4",
    { never_confirmable: ["100.64.0.0/10"] },
  ],
  ["the same, IPv4-mapped", "::ffff:100.64.3.4", { never_confirmable: ["100.64.0.0/10"] }],
  ["the same, behind NAT64", "64:ff9b::100.64.3.4", { never_confirmable: ["100.64.0.0/10"] }],
])("%s", (_name, spelled, confirmation) => {
  test("is never confirmed: no entry, no mail, nothing sent", async () => {
    const ann = await person(confirmation);
    const { status, body, requestId } = await call(ann.key, spelled);
    expect([status, body.code]).toEqual([403, "ip_unconfirmable"]);
    expect(await admin.event(requestId)).toMatchObject({ reason: "ip_unconfirmable", upstream_status: null });
    expect((await networks(ann)).pending).toEqual([]);
    await expect(admin.call("POST", `/holders/${ann.id}/networks`, { network: spelled })).rejects.toThrow(
      /never|shared|strangers/i,
    );
    expect(await mailsTo(ann.email)).toEqual([]);
  });
});
