import { concatBytes } from "@relaykey/core/bytes";
import { createScrubber, scrubText } from "@relaykey/core/scrub/scrubber";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import type { BodyEnd } from "./download.ts";

/** A WebSocket relayed between caller and vendor. */
export interface SocketBridge {
  /** The end to hand to the caller in a 101 response. */
  readonly client: WebSocket;
  readonly end: Promise<BodyEnd>;
  cut(): void;
}

/** RFC 6455 §7.4.1: the endpoint ends the connection because of its policy. */
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;

/**
 * Joins the vendor's socket to a new one for the caller, message by message, close codes included. The vendor key is
 * blotted out of the vendor's messages; one that is divided over several messages is not seen.
 */
export function bridgeSockets(vendor: WebSocket, matcher: SecretMatcher | null): SocketBridge {
  const [client, caller] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  vendor.accept();
  caller.accept();
  let bytes = 0;
  let finish: (end: BodyEnd) => void = () => undefined;
  const end = new Promise<BodyEnd>((resolve) => {
    finish = resolve;
  });

  join(
    vendor,
    caller,
    (data) => (matcher === null ? data : scrubMessage(data, matcher)),
    (size) => (bytes += size),
    () => {
      finish({ outcome: "completed", bytes });
    },
  );
  join(
    caller,
    vendor,
    (data) => data,
    () => undefined,
    () => {
      finish({ outcome: "completed", bytes });
    },
  );
  return {
    client,
    end,
    cut: () => {
      finish({ outcome: "cut", bytes });
      closeQuietly(caller, POLICY_VIOLATION, "This RelayKey is no longer allowed to use this connection.");
      closeQuietly(vendor, POLICY_VIOLATION, "");
    },
  };
}

type Message = string | ArrayBuffer;

function scrubMessage(data: Message, matcher: SecretMatcher): Message {
  if (typeof data === "string") return scrubText(matcher, data);
  const scrubber = createScrubber(matcher, { keepLength: true });
  const bytes = new Uint8Array(data);
  const passed = scrubber.push(bytes);
  return passed === bytes ? data : concatBytes(passed, scrubber.end()).buffer;
}

function join(
  from: WebSocket,
  to: WebSocket,
  change: (data: Message) => Message,
  count: (bytes: number) => void,
  ended: () => void,
): void {
  from.addEventListener("message", (event) => {
    const data = change(event.data as Message);
    count(typeof data === "string" ? data.length : data.byteLength);
    try {
      to.send(data);
    } catch {
      closeQuietly(from, INTERNAL_ERROR, "");
      ended();
    }
  });
  from.addEventListener("close", (event) => {
    closeQuietly(to, event.code, event.reason);
    closeQuietly(from, event.code, event.reason);
    ended();
  });
  from.addEventListener("error", () => {
    closeQuietly(to, INTERNAL_ERROR, "");
    ended();
  });
}

function closeQuietly(socket: WebSocket, code: number, reason: string): void {
  try {
    // 1005 and 1006 are reserved and must not be sent (RFC 6455 §7.4.1).
    if (code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}
