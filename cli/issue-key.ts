import { Refusal } from "./client.ts";
import type { Json } from "./client.ts";
import type { CliContext } from "./context.ts";
import { Failure } from "./failure.ts";

/** What is done where there is no such holder. */
export interface MissingHolder {
  /** Create one of this kind; null: say so. */
  readonly kind: string | null;
  readonly email?: string | undefined;
}

/** Issues a key; a holder that is missing is created if that was asked for, and otherwise named. */
export async function issueKey(
  context: CliContext,
  body: { readonly holder: string },
  { kind, email }: MissingHolder,
): Promise<Json> {
  const { holder } = body;
  try {
    return await context.call("POST", "/keys", body);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "holder_unknown") throw error;
    if (kind === null) {
      throw new Failure(
        `There is no holder "${holder}". Create it first, rk holders create ${quote(holder)} --kind service, or repeat ` +
          "this command with --create-holder service.",
        1,
        error.problem,
      );
    }
    await context.call("POST", "/holders", { name: holder, kind, ...(email === undefined ? {} : { email }) });
    return context.call("POST", "/keys", body);
  }
}

function quote(text: string): string {
  return /^[\w.@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
