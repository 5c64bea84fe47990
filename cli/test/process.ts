import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { newId } from "@relaykey/core/ids";
import type { World } from "../../control-plane/api/test/world.ts";

const PROGRAM = fileURLToPath(new URL("../rk.ts", import.meta.url));

/** What a run of `rk` came to. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A run that is under way. */
export interface StartedRun {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  readonly text: { out: string; err: string };
  readonly ended: Promise<Run>;
}

/** Starts `rk` as a process of its own. Its environment is what is given, and PATH. */
export function startRk(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly input?: string },
): StartedRun {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"], ...options.env },
  });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  // A command that refuses its arguments ends without reading.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const ended = new Promise<Run>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, ...text });
    });
  });
  return { child, text, ended };
}

/**
 * Serves a world's API on a port of this machine.
 *
 * @param isHeard is told of each request; one that it says no to is hung up on, and never carried out.
 */
export async function serveApi(
  world: Pick<World, "api">,
  isHeard: (request: IncomingMessage) => boolean = () => true,
): Promise<{ readonly url: string; readonly server: Server }> {
  let url = "";
  const answer = async (request: IncomingMessage): Promise<Response> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const init = {
      method: request.method ?? "GET",
      headers: request.headers as Record<string, string>,
      ...(body.length === 0 ? {} : { body }),
    };
    return world.api.fetch(new Request(`${url}${request.url ?? ""}`, init), {
      requestId: newId(),
      ip: "127.0.0.1",
    });
  };
  const server = createServer((request, response) => {
    if (!isHeard(request)) {
      request.socket.destroy();
      return;
    }
    void answer(request).then(async (answered) => {
      response.writeHead(answered.status, Object.fromEntries(answered.headers));
      response.end(await answered.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { url, server };
}
