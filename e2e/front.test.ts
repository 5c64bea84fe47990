import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@relaykey/local/ports";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { FRONT, fetchFrom } from "./call-from.ts";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

/** A real nginx in front, as README.md describes it; it reaches the stack from the one address that is believed. */
const NGINX = "/usr/sbin/nginx";
const admin = new Admin(inject("local"));
const { proxy, controlPlane, upstream } = admin.local;
const HOME = "127.0.0.2";
const THIEF = "127.0.0.3";

function configuration(
  folder: string,
  ports: { readonly proxy: number; readonly controlPlane: number },
): string {
  const server = (port: number, site: string): string => `
  server {
    listen 127.0.0.1:${String(port)};
    location / {
      proxy_pass ${site};
      proxy_bind ${FRONT};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
    }
  }`;
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; user root;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/tmp; proxy_temp_path ${folder}/tmp; fastcgi_temp_path ${folder}/tmp;
  uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;${server(ports.proxy, proxy)}${server(ports.controlPlane, controlPlane)}
}
`;
}

interface Answer {
  readonly status: number;
  readonly requestId: string | null;
  readonly text: string;
}

/** Whom a caller may claim to be, in every way that servers are known to believe. */
function claims(address: string): Record<string, string> {
  return {
    "X-Forwarded-For": address,
    "X-Real-IP": address,
    Forwarded: `for=${address}`,
    "CF-Connecting-IP": address,
    "True-Client-IP": address,
    "X-Client-IP": address,
  };
}

async function call(
  site: string,
  key: IssuedKey,
  from: string,
  headers: Record<string, string> = {},
  path = "/x",
): Promise<Answer> {
  const response = await fetchFrom(from)(`${site}/echo${path}`, {
    headers: { Authorization: `Bearer ${key.token}`, ...headers },
  });
  const requestId = response.headers.get("relaykey-request-id");
  return { status: response.status, requestId, text: await response.text() };
}

async function personsKey(): Promise<IssuedKey> {
  const email = `ann-${crypto.randomUUID()}@example.org`;
  const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: email,
    kind: "person",
    email,
  });
  return admin.createKey("echo", ["GET /**"], { holder: holder.id, ip: { mode: "confirm" } });
}

async function reached(path: string): Promise<number> {
  const counts = (await (await fetch(`${upstream}/__counts`)).json()) as Record<string, number>;
  return counts[`GET /echo${path}`] ?? 0;
}

describe.runIf(existsSync(NGINX))("behind nginx", () => {
  let folder = "";
  let child: ChildProcess;
  let front = { proxy: "", controlPlane: "" };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "relaykey-front-"));
    mkdirSync(join(folder, "tmp"));
    const ports = await freePorts();
    const file = join(folder, "nginx.conf");
    writeFileSync(file, configuration(folder, ports));
    child = spawn(NGINX, ["-c", file], { stdio: "ignore" });
    front = {
      proxy: `http://127.0.0.1:${String(ports.proxy)}`,
      controlPlane: `http://127.0.0.1:${String(ports.controlPlane)}`,
    };
    await vi.waitFor(async () => {
      const { status } = await fetch(`${front.proxy}/healthz`, { signal: AbortSignal.timeout(2_000) });
      expect(status).toBe(200);
    }, 20_000);
  });
  afterAll(async () => {
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  test("callers are told apart, and the audit log names each", async () => {
    const key = await personsKey();
    const [path, stolen] = [`/${crypto.randomUUID()}`, `/${crypto.randomUUID()}`];
    const own = await call(front.proxy, key, HOME, {}, path);
    expect(own.status).toBe(200);
    expect(await admin.event(own.requestId)).toMatchObject({ ip: HOME });
    const other = await call(front.proxy, key, THIEF, {}, stolen);
    expect(other.status).toBe(423);
    expect(JSON.parse(other.text)).toMatchObject({ confirmation: { address: THIEF } });
    expect(await admin.event(other.requestId)).toMatchObject({ ip: THIEF });
    expect([await reached(path), await reached(stolen)]).toEqual([1, 0]);
  });

  test("who claims to be somebody else is who it is: in the gate, and for a token that is held to an address", async () => {
    const key = await personsKey();
    const path = `/${crypto.randomUUID()}`;
    expect((await call(front.proxy, key, HOME)).status).toBe(200);
    const spellings = [HOME, `${HOME}, ${FRONT}`, `, ${HOME}`, `${HOME}\t`, "unknown"];
    for (const headers of [...spellings.map((text) => ({ "X-Forwarded-For": text })), claims(HOME)]) {
      const answer = await call(front.proxy, key, THIEF, headers, path);
      expect([headers, answer.status]).toEqual([headers, 423]);
    }
    expect(await reached(path)).toBe(0);

    const { token } = await admin.call<{ token: string }>("POST", "/tokens", {
      name: `held ${crypto.randomUUID()}`,
      ips: [HOME],
    });
    const ask = (from: string, headers = {}): Promise<number> =>
      fetchFrom(from)(`${front.controlPlane}/api/v1/keys`, {
        headers: { Authorization: `Bearer ${token}`, ...headers },
      }).then(({ status }) => status);
    expect(await ask(HOME)).toBe(200);
    expect(await ask(THIEF, claims(HOME))).toBe(403);
  });
});

if (!existsSync(NGINX)) test.skip(`skipped: ${NGINX} is not on this machine`);

test("who is no trusted proxy is who it is, whatever it claims", async () => {
  const key = await personsKey();
  expect((await call(proxy, key, HOME)).status).toBe(200);
  expect((await call(proxy, key, THIEF, claims(HOME))).status).toBe(423);
});

test.each([
  ["nobody", {}],
  ["something that is no address", { "X-Forwarded-For": `${HOME}, unknown` }],
  ["an address with a port", { "X-Forwarded-For": `${HOME}:4711` }],
])("a trusted proxy that names %s is not taken for the caller: nothing is sent", async (_name, headers) => {
  const key = await admin.createKey("echo", ["GET /**"]);
  const path = `/${crypto.randomUUID()}`;
  const answer = await call(proxy, key, FRONT, headers, path);
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "no_decision" });
  expect(await admin.event(answer.requestId)).toMatchObject({ reason: "client_ip_unknown", ip: null });
  expect(await reached(path)).toBe(0);
});
