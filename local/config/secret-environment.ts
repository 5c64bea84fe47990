import { StartError } from "./error.ts";
import type { WorkerSpec } from "./worker-spec.ts";

/**
 * What of workerd's environment holds a Worker's secrets: exactly those that its wrangler file asks for.
 *
 * @throws StartError naming the secret that is missing, or that the Worker must not have.
 */
export function secretEnvironment(
  spec: WorkerSpec,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const name of Object.keys(secrets)) {
    if (!spec.secrets.includes(name)) {
      throw new StartError(
        `${spec.name} must not have the secret ${name}: its wrangler file does not ask for it.`,
      );
    }
  }
  return Object.fromEntries(
    spec.secrets.map((name) => {
      const value = secrets[name];
      if (value === undefined || value === "")
        throw new StartError(`${spec.name} needs the secret ${name}, which is missing.`);
      return [environmentName(spec, name), value];
    }),
  );
}

/** No two secrets share one: neither a Worker's name nor a secret's has a dot. */
export function environmentName({ name }: WorkerSpec, secret: string): string {
  return `${name}.${secret}`;
}
