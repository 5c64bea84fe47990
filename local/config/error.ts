/** Something that must be put right before the stack can start. The message names it and is shown as it is. */
export class StartError extends Error {
  override readonly name = "StartError";
}
