import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    databaseUrl: string;
    sqlEndpoint: string;
  }
}

/** Vitest's global set-up for projects that need a database. It runs as a process of its own, outside Vite. */
export default async function setup(project: TestProject): Promise<() => void> {
  const program = fileURLToPath(new URL("./test-server.ts", import.meta.url));
  const server = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const { databaseUrl, sqlEndpoint } = JSON.parse(line.toString()) as {
    databaseUrl: string;
    sqlEndpoint: string;
  };
  project.provide("databaseUrl", databaseUrl);
  project.provide("sqlEndpoint", sqlEndpoint);
  return () => {
    server.kill();
  };
}
