import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@relaykey/local/stack";
import { freePorts } from "@relaykey/local/ports";

const HEADER = "x-told-by-the-edge";

/** What Cloudflare's edge tells of a request (`request.cf`), as far as the proxy reads it. */
export interface Told {
  readonly country?: string;
  readonly region?: string;
  readonly city?: string;
  readonly asn?: number;
  readonly asOrganization?: string;
}

/**
 * Opens another door of the proxy in a stack that tests started: what comes in there brings its `request.cf` in a header, as
 * workerd takes it from the edge it runs behind. No stack has such a door otherwise.
 */
export async function openEdge(stack: Stack): Promise<string> {
  const file = join(stack.state, "config.capnp");
  const config = readFileSync(file, "utf8");
  const address = `127.0.0.1:${String((await freePorts(portsIn(config))).proxy)}`;
  const door = `(name = "edge", address = "${address}", http = (cfBlobHeader = "${HEADER}"), service = "relaykey-proxy")`;
  const opened = config.replace(/sockets = \[/, `sockets = [\n    ${door},`);
  if (opened === config) throw new Error("The configuration lists no sockets.");
  await stack.kill();
  writeFileSync(file, opened, { mode: 0o600 });
  await stack.restartWorkerd();
  return `http://${address}`;
}

/** A call through that door, by a client at this address of which the edge tells this. */
export function fetchAt(
  edge: string,
  from: { readonly ip: string } & Told,
  path: string,
  token: string,
): Promise<Response> {
  const { ip, ...told } = from;
  // A header field is bytes; what is not ASCII is written as JSON can write it.
  const cf = JSON.stringify({ clientIp: `${ip}:443`, ...told }).replaceAll(
    /[^ -~]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return fetch(`${edge}${path}`, { headers: { Authorization: `Bearer ${token}`, [HEADER]: cf } });
}

function portsIn(config: string): number[] {
  return [...config.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
}
