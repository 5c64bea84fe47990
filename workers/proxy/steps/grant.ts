import { hashToken, parseToken, verifyTag } from "@relaykey/core/token";
import type { Directory } from "../directory.ts";
import type { LeaseSubject } from "../start-lease.ts";
import { passed, refused } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import type { Intake } from "./intake.ts";

/**
 * Step 2, first half. Turns what stood in the slots into a subject, with arithmetic alone: form, check digits and tag
 * are verified before any storage is read, so a forged or mistyped token costs none (G9).
 */
export async function readToken(
  intake: Intake,
  deps: { readonly tagKey: CryptoKey; readonly directory: Pick<Directory, "known"> },
): Promise<Outcome<LeaseSubject>> {
  const { tokens } = intake;
  const [text] = tokens;
  if (text === undefined) {
    return intake.foreignCredential
      ? refused("token_malformed", {
          detail:
            "The credential in this request is not a RelayKey. Send a key that begins with rk_proxy_; never send the vendor's own key here.",
        })
      : refused("token_missing");
  }
  // Among several, one that was really issued is looked for first: without it, nobody has to be told of the attempt.
  let best: Outcome<LeaseSubject> = refused("token_malformed");
  for (const candidate of tokens.slice(0, MAX_CANDIDATES)) {
    const read = await verify(candidate, deps);
    if (read.ok && tokens.length > 1) return refused("token_ambiguous");
    if (read.ok || read.reason === "token_forged") best = read;
  }
  return best;
}

/** More slots than any request fills; the rest of a longer list is not worth the arithmetic. */
const MAX_CANDIDATES = 4;

async function verify(
  text: string,
  { tagKey, directory }: Parameters<typeof readToken>[1],
): Promise<Outcome<LeaseSubject>> {
  const hash = await hashToken(text);
  // Only tokens that passed what follows are ever known: whoever has this hash has one of them.
  const known = directory.known(hash);
  if (known !== null) return passed({ hash, locator: known.snapshot.holderLocator });
  const token = parseToken(text);
  if (token?.kind !== "proxy" || token.locator === null) return refused("token_malformed");
  if (!(await verifyTag(token, tagKey))) return refused("token_forged");
  return passed({ hash, locator: token.locator });
}
