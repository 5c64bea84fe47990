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

/** The least UUIDv7 that can be made at a moment (epoch ms): ids at or above it are of that moment or later. */
export function lowestIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** The moment (epoch ms) that a UUIDv7 was made at. */
export function timeOfId(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
