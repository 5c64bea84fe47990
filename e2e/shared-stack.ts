import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { EVALUATION } from "@relaykey/local/settings";
import { startStack } from "@relaykey/local/stack";
import type { LocalFile } from "@relaykey/local/state";
import { FRONT } from "./call-from.ts";
import { openEdge } from "./edge.ts";
import { startKms } from "./kms/server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    local: LocalFile;
    workerdPid: number;
    state: string;
    database: { url: string; endpoint: string };
    /** File that holds the secrets the tests made. */
    witness: string;
    /** The proxy's door for requests that an edge tells something of. */
    edge: string;
    /** Stands in for AWS KMS, and who may use it. */
    kms: { url: string; accessKeyId: string; secretAccessKey: string };
  }
}

/** One local edition for all files: raw workerd, a database of its own, any free ports. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = mkdtempSync(join(tmpdir(), "relaykey-e2e-"));
  // Whoever calls from there is believed about whom it calls for: tests call from anywhere.
  const kms = await startKms();
  const settings = { ...EVALUATION, trustedProxies: FRONT, custody: kms.settings };
  const stack = await startStack({ state, port: "free", settings, log: console.log });
  project.provide("edge", await openEdge(stack));
  project.provide("local", stack.local);
  project.provide("workerdPid", stack.workerdPid() ?? 0);
  project.provide("state", state);
  project.provide("database", stack.database);
  const witness = `${state}.secrets`;
  writeFileSync(witness, "", { mode: 0o600 });
  project.provide("witness", witness);
  project.provide("kms", { url: kms.url, ...kms.credentials });
  return async () => {
    await stack.stop();
    await kms.close();
    rmSync(state, { recursive: true, force: true });
    rmSync(witness, { force: true });
  };
}
