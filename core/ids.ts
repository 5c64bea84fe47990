import { uuidv7 } from "uuidv7";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUIDv7 (RFC 9562 §5.7): ids of one process sort by time of making. */
export function newId(): string {
  return uuidv7();
}

/** Whether a text is a UUID in canonical form: lower case, with hyphens. */
export function isId(text: string): boolean {
  return UUID.test(text);
}
