import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A process that a benchmark started, and how to end it. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_MS = 30_000;

/** A port that nobody listens on right now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/**
 * Starts a program and waits until it answers HTTP on a port.
 *
 * @throws Error with its last words when it does not.
 */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  const listen = (data: Buffer): void => {
    words = (words + data.toString()).slice(-2_000);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const ended = new Promise<void>((resolve) =>
    child.once("exit", () => {
      resolve();
    }),
  );
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${String(port)}/`, {
        signal: AbortSignal.timeout(1_000),
      });
      await response.body?.cancel();
      return { pid: child.pid ?? 0, stop };
    } catch {
      if (child.exitCode !== null || Date.now() > deadline) {
        await stop();
        throw new Error(`${command} did not start:\n${words}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
