/** Something this Worker depends on did not answer in time. */
export class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";
}

/**
 * Waits for `promise`, but no longer than `ms`. The timer belongs to the caller's own request, so a promise shared
 * between requests can never hang one of them.
 *
 * @throws DeadlineExceeded after `ms`; otherwise whatever `promise` throws.
 */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineExceeded(`${what} did not answer within ${String(ms)} ms.`));
    }, ms);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
