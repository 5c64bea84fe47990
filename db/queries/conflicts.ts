const UNIQUE_VIOLATION = "23505";
/** What a statement does that must fail with its batch. */
export const DIVISION_BY_ZERO = "22012";

/** Whether a statement failed with this code (SQLSTATE). */
export function hasCode(error: unknown, code: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as Error & { code?: unknown }).code === code) return true;
  }
  return false;
}

/** Whether a statement failed because a unique value is taken already, by name of the constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, constraint: name } = cause as Error & { code?: unknown; constraint?: unknown };
    if (code === UNIQUE_VIOLATION) return name === constraint;
  }
  return false;
}
