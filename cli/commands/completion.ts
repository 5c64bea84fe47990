import { Argument } from "commander";
import type { Command, Option } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;

/**
 * Scripts that ask `rk __complete` what may come next, so that they never lag behind the commands. Where it knows nothing,
 * and in a command that follows --, files are proposed.
 */
const SCRIPTS: Record<(typeof SHELLS)[number], string> = {
  bash: `_rk_complete() {
  local IFS=$'\\n'
  COMPREPLY=($(rk __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _rk_complete rk`,
  zsh: `#compdef rk
_rk_complete() {
  local -a found
  found=(\${(f)"$(rk __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then compadd -- $found; else _files; fi
}
compdef _rk_complete rk`,
  fish: `complete -c rk -f -n 'not contains -- -- (commandline -opc)' -a '(rk __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c rk -F -n 'contains -- -- (commandline -opc)'`,
};

export function addCompletionCommands(program: Command): void {
  program
    .command("completion")
    .description('print a script that completes commands: eval "$(rk completion bash)"')
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(`${SCRIPTS[shell]}\n`);
    });

  program.command("__complete [words...]", { hidden: true }).action((words: string[]) => {
    for (const word of completions(program, words)) process.stdout.write(`${word}\n`);
  });
}

/** What may stand in place of the last word. */
export function completions(program: Command, typed: readonly string[]): string[] {
  const words = joined(typed);
  const last = words.at(-1) ?? "";
  let command = program;
  let before: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (word === "--") return [];
    if (before?.required === true) {
      before = undefined;
      continue;
    }
    before = optionsOf(command).find(({ long, short }) => word === long || word === short);
    if (before === undefined) command = subcommand(command, word) ?? command;
  }
  return [...new Set(candidates(command, before, last))]
    .filter((candidate) => candidate !== "" && candidate.startsWith(last))
    .sort();
}

/** As bash splits it, --status=active is three words: the sign is dropped, so that the value is the option's. */
function joined(words: readonly string[]): readonly string[] {
  const isSign = (index: number): boolean =>
    words[index] === "=" && words[index - 1]?.startsWith("--") === true;
  return words.flatMap((word, index) => (isSign(index) ? (index === words.length - 1 ? [""] : []) : [word]));
}

function candidates(command: Command, before: Option | undefined, last: string): readonly string[] {
  const values = before?.argChoices ?? [];
  if (before?.required === true) return values;
  if (last.startsWith("-")) return last.includes("=") ? assignments(command, last) : flags(command);
  return [
    ...(before?.optional === true ? values : []),
    ...command.commands
      .flatMap((each) => [each.name(), ...each.aliases()])
      .filter((name) => !name.startsWith("_")),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  ];
}

function flags(command: Command): readonly string[] {
  return optionsOf(command).map(({ long }) => long ?? "");
}

/** --status=active, as one word. */
function assignments(command: Command, last: string): readonly string[] {
  const name = last.slice(0, last.indexOf("="));
  const option = optionsOf(command).find(({ long }) => long === name);
  return (option?.argChoices ?? []).map((value) => `${name}=${value}`);
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word || each.aliases().includes(word));
}

function optionsOf(command: Command): readonly Option[] {
  const parents = command.parent === null ? [] : optionsOf(command.parent);
  return [...command.options, ...parents];
}
