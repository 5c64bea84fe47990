/** What can be wrong with a customer-managed key: a closed table, in the words that admins read. */
export const CUSTODY_PROBLEMS = {
  not_configured:
    "This installation has no AWS credentials. Its operator sets RELAYKEY_AWS_ACCESS_KEY_ID and RELAYKEY_AWS_SECRET_ACCESS_KEY for the proxy.",
  credentials: "AWS does not accept this installation's credentials. Its operator has to look at them.",
  denied: "AWS KMS denies the use of the key. Its key policy must let RelayKey's principal do kms:Decrypt.",
  disabled: "The key is disabled, or waits for its deletion.",
  missing: "There is no such key in that account and region.",
  wrong_key:
    "The KMS key does not open what the public key seals: they are not of one pair, or the key is not an RSA key for ENCRYPT_DECRYPT.",
  throttled: "AWS KMS answers that there were too many requests.",
  unreachable: "AWS KMS did not answer in time.",
  proxy_away: "The proxy could not be asked.",
  unreadable:
    "The sealed value cannot be opened by this proxy: it was sealed for another pair or another upstream, by a former RelayKey, or altered. Enter the vendor key again.",
} as const;

export type CustodyProblem = keyof typeof CUSTODY_PROBLEMS;

/** Of problems that go by themselves, as far as anybody can tell. */
export function isPassing(problem: CustodyProblem): boolean {
  return problem === "throttled" || problem === "unreachable";
}

/** A data key could not be unwrapped. The message is from the table and holds nothing of what was to be opened. */
export class CustodyError extends Error {
  override readonly name = "CustodyError";
  readonly problem: CustodyProblem;

  constructor(problem: CustodyProblem) {
    super(CUSTODY_PROBLEMS[problem]);
    this.problem = problem;
  }
}
