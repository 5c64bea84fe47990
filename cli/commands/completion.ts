import { Argument } from "commander";
import type { Command, Option } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Scripts that ask `rk __complete` what may come next, so that they never lag behind the commands. */
const SCRIPTS: Record<(typeof SHELLS)[number], string> = {
  bash: `_rk_complete() {
  local IFS=$'\\n'
  COMPREPLY=($(rk __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _rk_complete rk`,
  zsh: `#compdef rk
_rk_complete() {
  local -a found
  found=("\${(@f)$(rk __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _rk_complete rk`,
  fish: `complete -c rk -f -a '(rk __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
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
export function completions(program: Command, words: readonly string[]): string[] {
  const last = words.at(-1) ?? "";
  let command = program;
  let awaited: Option | null = null;
  for (const word of words.slice(0, -1)) {
    if (awaited !== null) {
      awaited = null;
      continue;
    }
    const option = optionsOf(command).find(({ long, short }) => word === long || word === short);
    if (option?.required === true) awaited = option;
    if (option === undefined) command = command.commands.find((each) => each.name() === word) ?? command;
  }
  const candidates =
    awaited === null
      ? last.startsWith("-")
        ? optionsOf(command).map(({ long }) => long ?? "")
        : [
            ...command.commands.map((each) => each.name()).filter((name) => !name.startsWith("_")),
            ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
          ]
      : (awaited.argChoices ?? []);
  return [...new Set(candidates)]
    .filter((candidate) => candidate !== "" && candidate.startsWith(last))
    .sort();
}

function optionsOf(command: Command): readonly Option[] {
  const parents = command.parent === null ? [] : optionsOf(command.parent);
  return [...command.options, ...parents];
}
