import { createServer } from "node:net";
import { StartError } from "./config/error.ts";

/** The five addresses of a local edition, in the order of their ports. */
export const SITES = ["proxy", "controlPlane", "confirm", "outbox", "upstream"] as const;
export type Site = (typeof SITES)[number];
export type Ports = Readonly<Record<Site, number>>;

export const DEFAULT_PORT = 8787;

/** A site's address on this machine. */
export function siteUrl(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}

/** @throws StartError naming the first port that is taken. */
export async function claimPorts(first: number): Promise<Ports> {
  const ports = Object.fromEntries(SITES.map((site, index) => [site, first + index])) as Ports;
  for (const site of SITES) {
    if (!(await isFree(ports[site]))) {
      throw new StartError(
        `Port ${String(ports[site])} (for ${site}) is taken. Stop what listens there, or choose others: npm start -- --port ${String(first + 100)}`,
      );
    }
  }
  return ports;
}

/**
 * Five neighbouring ports that nobody listens on.
 *
 * @param promised ports that are free now but already have a purpose.
 */
export async function freePorts(promised: readonly number[] = []): Promise<Ports> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = 20_000 + Math.floor(Math.random() * 30_000);
    if (promised.some((port) => port >= first && port < first + SITES.length)) continue;
    try {
      return await claimPorts(first);
    } catch {
      // Somebody has one of them: elsewhere, then.
    }
  }
  throw new StartError("No five free neighbouring ports were found.");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
