/**
 * Writes one structured line to the platform's console, which every runtime has: the only thing core ever writes.
 * Values are data about requests. Never a credential (everything secret is a `Secret`, which serialises to a mark),
 * an address of mail, a link, a message's content or an error's message.
 */
export function log(
  level: "info" | "warn" | "error",
  event: string,
  fields: Record<string, unknown> = {},
): void {
  const line = JSON.stringify({ level, event, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** Name and place of a failure, without its message: a message may quote what it choked on. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = error.stack?.split("\n").filter((line) => line.startsWith("    at ")) ?? [];
  return `${error.name}${frames.slice(0, 3).join("").replaceAll("    ", " ")}`;
}
