import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completions } from "./commands/completion.ts";
import { createProgram } from "./program.ts";

/** What may follow, whichever shell asks. */
const CASES: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [["key"], ["keys"]],
  [
    ["keys", "re"],
    ["receipts", "reroll", "revoke", "revoke-many"],
  ],
  [["audit", "q"], ["query"]],
  [["audit", "query", "--dec"], ["--decision"]],
  [["keys", "reroll", "--o"], ["--overlap"]],
  [
    ["keys", "list", "--status", ""],
    ["active", "frozen", "revoked"],
  ],
  [["--profile", "work", "keys", "list", "--status", "a"], ["active"]],
  [["webhooks", "create", "--type", "integration."], ["integration.failing"]],
  [["keys", "create", "--create-holder", "per"], ["person"]],
  [["plan", "set", "te"], ["team"]],
  [["completion", "b"], ["bash"]],
];

describe("what may come next", () => {
  test.each([
    ...CASES,
    [["keys", "list", "--status=f"], ["--status=frozen"]] as const,
    // As bash splits it.
    [["keys", "list", "--status", "=", "f"], ["frozen"]] as const,
    [
      ["keys", "list", "--status", "="],
      ["active", "frozen", "revoked"],
    ] as const,
    [["keys", "list", "--search", "li"], []] as const,
    [["run", "--integration", "openai", "--", "ke"], []] as const,
    [["__comp"], []] as const,
  ])("%j", (words, expected) => {
    expect(completions(createProgram(), words)).toEqual(expected);
  });
});

/** Commands, options, and values of both kinds: the shells are slow to start. */
const ASKED_IN_SHELLS = CASES.filter(([words]) =>
  ["key", "audit query --dec", "keys list --status ", "webhooks create --type integration."].includes(
    words.join(" "),
  ),
);

const PROGRAM = fileURLToPath(new URL("rk.ts", import.meta.url));

/** Gives the completions of a command line on standard output, a line each; $1 is the line. */
const ASKING: Readonly<
  Record<string, { readonly path: string; readonly args: readonly string[]; readonly script: string }>
> = {
  bash: {
    path: "/usr/bin/bash",
    args: ["--norc", "--noprofile"],
    // As readline does: finds the function that is registered for rk, and calls it.
    script: `
eval "$(rk completion bash)"
[[ $(complete -p rk) =~ -F\\ ([^ ]+) ]] || exit 1
read -ra COMP_WORDS <<<"$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=\${#1}
"\${BASH_REMATCH[1]}" rk
printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    path: "/usr/bin/zsh",
    args: ["-f"],
    // A real line editor in a terminal of its own; what it adds to the list is printed.
    script: `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT=; autoload -U compinit; compinit -D -u; eval "$(rk completion zsh)"'
zpty -w shell 'compadd() { local -a hits; builtin compadd -A hits "$@"; builtin compadd "$@"; print -rl -- "" "HIT "$^hits; }'
zpty -w shell 'finish() { print -r -- "THE""END" }; zle -N finish; bindkey "^X" finish; print "READ""Y"'
zpty -r -m shell out '*READY*'
zpty -w -n shell "$1"$'\\t'$'\\x18'
zpty -r -m shell out '*THEEND*'
zpty -d shell
print -r -- "$out" | tr -d '\\r' | sed -n 's/^HIT //p'`,
  },
  fish: {
    path: "/usr/bin/fish",
    args: ["--no-config"],
    script: `rk completion fish | source
complete -C $argv[1]`,
  },
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-completion-"));
  mkdirSync(join(folder, "bin"));
  const program = join(folder, "bin", "rk");
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder, "job-of-ours.mjs"), "");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function ask(shell: string, line: string): string[] {
  const { path, args, script } = ASKING[shell] ?? expect.unreachable();
  if (!existsSync(path))
    throw new Error(`${path} is missing: install ${shell} (Debian: apt-get install ${shell}).`);
  const file = join(folder, `ask.${shell}`);
  writeFileSync(file, script);
  const run = spawnSync(path, [...args, file, line], {
    cwd: folder,
    env: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      TERM: "dumb",
      LC_ALL: "C.UTF-8",
    },
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(run.status, run.stderr).toBe(0);
  const proposals = run.stdout.split("\n").map((proposal) => proposal.split("\t")[0]?.trim() ?? "");
  return [...new Set(proposals)].filter((proposal) => proposal !== "").sort();
}

describe.each(Object.keys(ASKING))("%s", (shell) => {
  test.each(ASKED_IN_SHELLS)(
    "%j",
    (words, expected) => {
      expect(ask(shell, ["rk", ...words].join(" "))).toEqual(expected);
    },
    90_000,
  );

  test("proposes files for the command that rk run runs", () => {
    const found = ask(shell, "rk run -- node job-of");
    // bash falls back to files by itself, beyond its function.
    expect(found).toEqual(shell === "bash" ? [] : ["job-of-ours.mjs"]);
  }, 90_000);
});
