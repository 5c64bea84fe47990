import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Admin } from "../harness.ts";
import { escapes, randomPaths } from "./hostile.ts";
import { request, sendRaw } from "./raw-http.ts";

/** G3 with the parsers of real servers behind the proxy: what a key may not reach, no spelling reaches. */
const admin = new Admin(inject("local"));
const ALLOWED = "content of what is allowed";
const SECRET = "content of what is not";

interface Server {
  readonly name: string;
  /** Where Debian puts the program; the test is skipped, visibly, where it is not. */
  readonly program: string;
  arguments(folder: string, port: number): string[];
}

const EXPRESS = fileURLToPath(new URL("./express-files.mjs", import.meta.url));

const SERVERS: readonly Server[] = [
  {
    name: "Express",
    program: process.execPath,
    arguments: (folder, port) => [EXPRESS, join(folder, "root"), String(port)],
  },
  {
    name: "nginx",
    program: "/usr/sbin/nginx",
    arguments: (folder, port) => {
      const file = join(folder, "nginx.conf");
      writeFileSync(
        file,
        `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; user root;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/tmp; proxy_temp_path ${folder}/tmp; fastcgi_temp_path ${folder}/tmp;
  uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;
  server { listen 127.0.0.1:${String(port)}; root ${folder}/root; }
}
`,
      );
      return ["-c", file];
    },
  },
  {
    name: "Apache",
    program: "/usr/sbin/apache2",
    arguments: (folder, port) => {
      const file = join(folder, "apache.conf");
      const modules = "/usr/lib/apache2/modules";
      writeFileSync(
        file,
        `LoadModule mpm_event_module ${modules}/mod_mpm_event.so
LoadModule authz_core_module ${modules}/mod_authz_core.so
ServerName localhost
Listen 127.0.0.1:${String(port)}
PidFile ${folder}/apache.pid
ErrorLog ${folder}/apache.log
DocumentRoot ${folder}/root
AllowEncodedSlashes On
<Directory ${folder}/root>
  Require all granted
</Directory>
`,
      );
      return ["-X", "-f", file];
    },
  },
  {
    name: "Python's http.server",
    program: "/usr/bin/python3",
    arguments: (folder, port) => [
      "-m",
      "http.server",
      String(port),
      "--bind",
      "127.0.0.1",
      "--directory",
      join(folder, "root"),
    ],
  },
];

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

async function untilAnswering(origin: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { text } = await sendRaw(origin, request("GET", "/v1/allowed/ok", []), 1_000);
    if (text.includes(ALLOWED)) return;
    if (Date.now() > deadline) throw new Error(`The server does not answer: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.each(SERVERS)("$name", (server) => {
  const isHere = existsSync(server.program);

  describe.runIf(isHere)("behind the proxy", () => {
    const slug = `parser-${crypto.randomUUID().slice(0, 8)}`;
    let folder = "";
    let origin = "";
    let token = "";
    let child: ChildProcess;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "relaykey-parser-"));
      for (const part of ["root/v1/allowed/sub", "root/v1/secret", "tmp"]) {
        mkdirSync(join(folder, part), { recursive: true });
      }
      writeFileSync(join(folder, "root/v1/allowed/ok"), ALLOWED);
      writeFileSync(join(folder, "root/v1/secret/x"), SECRET);
      const port = await freePort();
      origin = `http://127.0.0.1:${String(port)}`;
      child = spawn(server.program, server.arguments(folder, port), { stdio: "ignore" });
      await untilAnswering(origin);
      await admin.call("POST", "/integrations", {
        slug,
        upstream: origin,
        credential: { kind: "bearer" },
        secret: `parser-${crypto.randomUUID()}`,
      });
      ({ token } = await admin.createKey(slug, ["GET /v1/allowed/**"]));
    });

    afterAll(async () => {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(folder, { recursive: true, force: true });
    });

    test("it does resolve a way out when it is asked directly, and serves what is allowed through the proxy", async () => {
      const direct = await sendRaw(origin, request("GET", "/v1/allowed/%2e%2e/secret/x", []));
      const plain = await sendRaw(origin, request("GET", "/v1/secret/x", []));
      expect(direct.text + plain.text).toContain(SECRET);
      const through = await sendRaw(
        inject("local").proxy,
        request("GET", `/${slug}/v1/allowed/ok`, [`Authorization: Bearer ${token}`]),
      );
      expect(through.text).toContain(ALLOWED);
    });

    test("no request resolves outside its scope", { timeout: 120_000 }, async () => {
      const targets = [
        ...escapes(),
        ...randomPaths(7, 400)
          .filter((path) => !/[ \t\0\r\n]/.test(path))
          .map((path) => `/v1/allowed${path}/secret/x`),
      ];
      const leaks: string[] = [];
      let answered = 0;
      const queue = targets.values();
      const worker = async (): Promise<void> => {
        for (const target of queue) {
          const raw = request("GET", `/${slug}${target}`, [`Authorization: Bearer ${token}`]);
          const answer = await sendRaw(inject("local").proxy, raw);
          if (answer.status > 0) answered += 1;
          if (answer.text.includes(SECRET)) leaks.push(target);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      expect(answered).toBeGreaterThan(targets.length * 0.9);
      expect(leaks).toEqual([]);
    });
  });

  if (!isHere) test.skip(`skipped: ${server.program} is not on this machine`);
});
