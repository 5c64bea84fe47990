import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";

const SERVICE = new URL("./", import.meta.url);
const AUTHORIZED = "is for services that have authorized an action of their own";

/** Functions that take a caller and ask nothing of the table of actions, and why. */
const ASK_NOTHING: Readonly<Record<string, string>> = {
  findHolder: AUTHORIZED,
  findIntegration: AUTHORIZED,
  findEndpoint: AUTHORIZED,
  findKey: AUTHORIZED,
  readSelection: AUTHORIZED,
  answerChange: AUTHORIZED,
  changePlan: AUTHORIZED,
  mintGuard: "says what a token may mint at most",
  adminEvent: "describes what was done",
  creationEvent: "describes what was done",
};

/** Those that begin with another one, which asks. */
const BEGIN_WITH: Readonly<Record<string, string>> = {
  approveNetwork: "change",
  removeNetwork: "change",
  dismissPending: "change",
  change: "locate",
  showNetworks: "locate",
  showSelection: "readLiveKeys",
  revokeShown: "readLiveKeys",
  decideDeviceLogin: "findDeviceLogin",
  showAdminEvent: "queryAdminEvents",
};

interface Acting {
  readonly name: string;
  readonly isExported: boolean;
  /** Up to where it first reads or writes, or begins with another one. */
  readonly begins: string;
}

/** Functions of the service that act on somebody's behalf. */
const ACTING: readonly Acting[] = readdirSync(SERVICE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => readFileSync(new URL(file, SERVICE), "utf8"))
  .flatMap((source) => [...source.matchAll(/^(export )?(?:async )?function\*? (\w+)[^]*?\n\}\n/gm)])
  .filter(([text]) => /^[^{]*\bcaller: Caller\b/.test(text))
  .map(([text, exported, name = ""]) => ({
    name,
    isExported: exported !== undefined,
    begins: text.split(/\bdeps\.db\b|\bdeps\.keyControl\b/)[0] ?? "",
  }));

const asks = ({ begins }: Acting): boolean => /\b(?:authorize|mayInvite)\(caller\b/.test(begins);

test("each function of the service that acts for a caller asks first whether they may", () => {
  const exported = ACTING.filter(({ isExported }) => isExported);
  expect(exported.length).toBeGreaterThan(80);
  const silent = exported.filter((acting) => !asks(acting) && !(acting.name in BEGIN_WITH));
  expect(silent.map(({ name }) => name).toSorted()).toEqual(Object.keys(ASK_NOTHING).toSorted());
});

test.each(Object.entries(BEGIN_WITH))("%s begins with %s, which asks", (name, first) => {
  const [acting, other] = [name, first].map((each) => ACTING.filter((candidate) => candidate.name === each));
  // The declaration names itself; what follows is the first call.
  expect(acting?.some(({ begins }) => new RegExp(`\\b${first}(?:<\\w+>)?\\(deps, caller`).test(begins))).toBe(
    true,
  );
  expect(other?.some((candidate) => asks(candidate) || candidate.name in BEGIN_WITH)).toBe(true);
});
