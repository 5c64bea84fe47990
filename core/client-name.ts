/** What `rk` calls itself in User-Agent. */
export const CLI_USER_AGENT = "rk/0.1.0";

const CLI_PATTERN = /^rk\/\d/;

/**
 * Whether a caller of the management API says that it is `rk`. Anybody can say so: it names the face that was used, and
 * nothing may depend on it. Who acted is the token, and from where is the address.
 */
export function isCli(userAgent: string | undefined): boolean {
  return userAgent !== undefined && CLI_PATTERN.test(userAgent);
}
