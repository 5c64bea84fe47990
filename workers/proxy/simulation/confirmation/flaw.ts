import { isLinearizable } from "../linearizability.ts";
import type { Observed } from "../linearizability.ts";
import { LEASED, OBJECT } from "./register.ts";
import type { LeasedOperation, NetworkOperation, NetworkRead } from "./register.ts";

/** What was seen of a holder's networks from outside. */
export interface Seen {
  readonly operations: readonly Observed<NetworkOperation>[];
  readonly reads: readonly Observed<NetworkRead>[];
}

/** What nothing that happens one at a time explains: "object" or "leases"; null when all is well. */
export function flaw({ operations, reads }: Seen): "object" | "leases" | null {
  if (!isLinearizable(OBJECT, operations)) return "object";
  return areLeasesKept({ operations, reads }) ? null : "leases";
}

/** Whether callers saw no more of a change than leases explain. */
export function areLeasesKept({ operations, reads }: Seen): boolean {
  const leased: Observed<LeasedOperation>[] = changes(operations).flatMap(
    ({ operation, invoked, returned }, id) => {
      const announce = { operation: { kind: "announce", id, operation } as const, invoked, returned };
      if (!promises(operation) || returned === Infinity) return [announce];
      return [announce, { operation: { kind: "enforce", id } as const, invoked, returned }];
    },
  );
  for (const { operation: read, invoked, returned } of reads) {
    leased.push({ operation: { kind: "read", read }, invoked, returned });
  }
  return isLinearizable(LEASED, leased);
}

/** Those that change what a lease may say. Of the questions only the first use does. */
function changes(operations: Seen["operations"]): Observed<NetworkOperation>[] {
  const admissions = operations.filter(({ operation }) => isAdmission(operation));
  // Who asked after somebody was let in was not the first. Those who asked before may have been, whoever heard first.
  const firstAdmitted = Math.min(...admissions.map(({ returned }) => returned));
  return operations.filter(({ operation, invoked }) => {
    switch (operation.kind) {
      case "ask":
        return isAdmission(operation) && invoked < firstAdmitted;
      case "confirm":
        return operation.state === "confirmed_now" || operation.state === null;
      case "reject":
        return operation.state === "frozen_now" || operation.state === null;
      case "remove":
      case "approve":
      case "apply":
      case "revoke":
        return true;
    }
  });
}

function isAdmission(operation: NetworkOperation): boolean {
  return operation.kind === "ask" && operation.outcome === "admitted";
}

/** Whether what it found holds everywhere when it has returned. What another one did is that one's to promise. */
function promises(operation: NetworkOperation): boolean {
  switch (operation.kind) {
    case "ask":
      return false;
    case "confirm":
      return operation.state === "confirmed_now";
    case "reject":
      return operation.state === "frozen_now";
    case "apply":
    case "revoke":
      return operation.holds === operation.version;
    case "remove":
    case "approve":
      return true;
  }
}
