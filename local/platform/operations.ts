/** Operations that Workers asked of the platform since it started, by kind: what they would be billed for. */
const counts = new Map<string, number>();

/** @param kind such as "kv get" or "queue message". */
export function countOperation(kind: string, times = 1): void {
  counts.set(kind, (counts.get(kind) ?? 0) + times);
}

export function countedOperations(): Record<string, number> {
  return Object.fromEntries(counts);
}
