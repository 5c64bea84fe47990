/** Deeper than anything that a schema admits; shallow enough for whatever walks a value by calling itself. */
export const MAX_DEPTH = 32;

/** Whether objects and lists lie in one another deeper than that. Looks level by level, so that no depth exhausts the stack. */
export function isNestedTooDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((container): unknown[] => Object.values(container)).filter(isContainer);
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
