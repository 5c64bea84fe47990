import * as z from "zod";
import { ACTOR_KINDS, VIAS } from "@relaykey/db/schema/organizations";
import { SUBJECT_KINDS } from "@relaykey/db/queries/admin-events";
import { at, pageOf, uuid } from "./answers.ts";
import { id, moment, page, strict, withoutAbsent } from "./fields.ts";

const actionHint = 'Give an action such as key.revoked, or a beginning such as "key.".';

export const adminEventQuery = strict({
  ...page,
  actor: id.optional(),
  subject: id.optional(),
  subject_kind: z.enum(SUBJECT_KINDS, `Give one of: ${SUBJECT_KINDS.join(", ")}.`).optional(),
  via: z.enum(VIAS, `Give one of: ${VIAS.join(", ")}.`).optional(),
  action: z
    .string(actionHint)
    .regex(/^[a-z_]+\.[a-z_]*$/, actionHint)
    .max(64, actionHint)
    .meta({ description: "key.revoked, or key. for all that begins so." })
    .optional(),
  from: moment.meta({ description: "Inclusive." }).optional(),
  to: moment.meta({ description: "Inclusive." }).optional(),
}).transform(({ limit, cursor, actor, subject, subject_kind, ...same }) => ({
  filter: withoutAbsent({ ...same, actorId: actor, subjectId: subject, subjectKind: subject_kind }),
  limit,
  cursor,
}));

const facts = z.record(z.string(), z.unknown()).readonly();

const adminEventShape = z
  .strictObject({
    id: uuid,
    at,
    actor: z.strictObject({
      kind: z.enum(ACTOR_KINDS),
      id: uuid.nullable(),
      name: z.string().nullable().meta({ description: "As it is called now; null when it is gone." }),
    }),
    via: z.enum(VIAS),
    ip: z.string().nullable(),
    action: z.string(),
    subject: z.strictObject({ kind: z.string(), id: uuid, name: z.string().nullable() }),
    before: facts.nullable().meta({ description: "What changed, as it was." }),
    after: facts.nullable(),
    metadata: facts,
  })
  .meta({ id: "AdminEvent" });

export const adminEventPage = pageOf(adminEventShape);
