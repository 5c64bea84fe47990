import { BLOCK_REASONS, isBlockReason } from "@relaykey/core/block-reasons";
import { canonicalIp } from "@relaykey/core/ip";
import { readTarget } from "@relaykey/core/judge";
import { NO_LIMITS } from "@relaykey/core/limits";
import { expect, test } from "vitest";
import { remedyFor } from "./remedies.ts";
import type { Refused } from "./remedies.ts";

const REFUSED: Refused = {
  method: "DELETE",
  target: readTarget("/v1/models/a", "limit=1"),
  ip: canonicalIp("192.0.2.1"),
  near: { rule: 1, misses: "method" },
  integration: "openai",
  limits: { ...NO_LIMITS, uses: 5 },
};
/** What is known of a request whose key, address and path say nothing. */
const UNKNOWN: Refused = {
  ...REFUSED,
  target: { ok: false, detail: "" },
  ...{ ip: null, near: null, integration: null, limits: NO_LIMITS },
};

test.each([
  ["scope_method", "Add DELETE to the methods of rule 2."],
  ["scope_path", 'Add the rule "DELETE /v1/models/a" to the key, or a pattern that covers it.'],
  ["ip_not_allowed", "Add a block that holds 192.0.2.1 to the key's allowlist."],
  ["uses_exhausted", "Raise the number of uses (5 today), or issue a new key."],
  ["rate_limited", "Raise the rate of the holder, or let the caller wait as Retry-After says."],
] as const)("names what to change about %s", (reason, remedy) => {
  expect(remedyFor(reason, REFUSED)).toBe(remedy);
});

test.each(Object.keys(BLOCK_REASONS).filter(isBlockReason))(
  "has a whole sentence for %s, whatever is known",
  (reason) => {
    for (const refused of [REFUSED, UNKNOWN]) {
      expect(remedyFor(reason, refused)).toMatch(/^[A-Z].*\.$/);
      expect(remedyFor(reason, refused)).not.toMatch(/null|undefined|NaN/);
    }
  },
);
