const UNIQUE_VIOLATION = "23505";
/** What a statement does that must fail with its batch. */
export const DIVISION_BY_ZERO = "22012";

const FOREIGN_KEY_VIOLATION = "23503";

/** Whether a statement failed with this code (SQLSTATE). */
export function hasCode(error: unknown, code: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as Error & { code?: unknown }).code === code) return true;
  }
  return false;
}

/** Whether a statement failed because a unique value is taken already, by name of the constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return isViolation(error, UNIQUE_VIOLATION, constraint);
}

/** Whether a statement failed because of a row that is referred to, or is not there, by name of the constraint. */
export function isForeignKeyViolation(error: unknown, constraint: string): boolean {
  return isViolation(error, FOREIGN_KEY_VIOLATION, constraint);
}

function isViolation(error: unknown, violation: string, constraint: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, constraint: name } = cause as Error & { code?: unknown; constraint?: unknown };
    if (code === violation) return name === constraint;
  }
  return false;
}
