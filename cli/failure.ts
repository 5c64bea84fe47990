/** Exit codes: 0 done, 1 refused or failed (or not in force yet), 2 called wrongly. */
export type ExitCode = 1 | 2;

/** Ends the command with a sentence that says what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  /** For --json: the API's own answer where there is one. */
  readonly problem: unknown;

  constructor(message: string, exitCode: ExitCode = 1, problem: unknown = { detail: message }) {
    super(message);
    this.exitCode = exitCode;
    this.problem = problem;
  }
}

export function usage(message: string): Failure {
  return new Failure(message, 2);
}
