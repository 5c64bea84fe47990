import * as z from "zod";
import { hashEntry } from "@relaykey/core/audit-chain/entry";
import { signedMembers } from "@relaykey/core/audit-chain/proof-file";
import type { ChainState } from "../../service/audit-chain.ts";
import { at, uuid } from "./answers.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const signed = z
  .strictObject({
    kind: z.enum(["batch", "retention"]),
    v: z.literal(1),
    organization_id: uuid,
    sequence: z.int(),
    previous: hash.meta({ description: "Hash of the entry before." }),
    written_at: at,
    retention_days: z.int(),
    root: hash.optional().meta({ description: "Of the Merkle tree of the batch's events (RFC 6962)." }),
    count: z.int().optional(),
    day: z.string().optional(),
    first: uuid.optional(),
    last: uuid.optional(),
    key_id: z.string(),
    signature: z.string().meta({ description: "Ed25519, base64url." }),
  })
  .meta({ id: "AuditChainEntry" });

export const auditChainAnswer = z.strictObject({
  audit_chain: z
    .strictObject({
      state: z.enum(["empty", "unchecked", "verified", "broken"]),
      head: signed.nullable().meta({ description: "The last entry: the checkpoint to keep." }),
      head_hash: hash.nullable(),
      verified_through: z.int().meta({ description: "Every entry up to here was checked." }),
      verified_events: z.int(),
      verified_at: at.nullable(),
      verified_again_at: at.nullable().meta({ description: "When all of it was last checked once more." }),
      problem: z
        .strictObject({
          check: z.string(),
          sequence: z.int(),
          request_id: uuid.nullable(),
          what: z.string(),
          since: at,
        })
        .nullable(),
      public_keys: z.array(z.strictObject({ id: z.string(), public_key: z.string() })),
    })
    .meta({ id: "AuditChain" }),
});

type Answer = z.output<typeof auditChainAnswer>["audit_chain"];

export async function presentChain(state: ChainState): Promise<Answer> {
  const { head, problem } = state;
  return {
    state: state.state,
    head: head === null ? null : (signedMembers(head) as Answer["head"]),
    head_hash: head === null ? null : await hashEntry(head.entry),
    verified_through: state.through,
    verified_events: state.events,
    verified_at: state.checkedAt,
    verified_again_at: state.patrolledAt,
    problem:
      problem === null
        ? null
        : {
            check: problem.check,
            sequence: problem.sequence,
            request_id: problem.requestId,
            what: problem.sentence,
            since: problem.since,
          },
    public_keys: state.keys.map(({ id, text }) => ({ id, public_key: text })),
  };
}
