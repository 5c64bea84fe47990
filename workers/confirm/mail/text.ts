import type { Block, MailContent } from "./content.ts";

const WIDTH = 72;

/** The plain text of a mail: what people read who see no HTML, and what filters judge. */
export function renderText({ heading, blocks, footer }: MailContent): string {
  const parts = [heading.toUpperCase(), ...blocks.map(textOf), `-- \n${wrap(footer)}`];
  return `${parts.join("\n\n")}\n`;
}

function textOf(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return wrap(block.text);
    case "facts": {
      const width = Math.max(...block.facts.map(({ label }) => label.length)) + 2;
      return block.facts.map(({ label, value }) => `  ${`${label}:`.padEnd(width)}${value}`).join("\n");
    }
    case "action":
      // Alone on its line, so that no wrapping breaks it.
      return `${block.label}:\n${block.url}`;
    case "code":
      return `${wrap(block.label)}:\n\n    ${block.code}`;
    case "quiet":
      return block.url === undefined ? wrap(block.text) : `${wrap(block.text)}\n${block.url}`;
  }
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
