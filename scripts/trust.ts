import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the trust page says, read from docs/threat-model.md. */
export interface Trust {
  readonly attackers: readonly { readonly who: string; readonly gets: string; readonly never: string }[];
  readonly controls: readonly {
    readonly name: string;
    readonly where: string;
    readonly document: { readonly label: string; readonly file: string };
    readonly tests: readonly { readonly file: string; readonly title: string }[];
  }[];
  readonly notDefended: readonly { readonly title: string; readonly text: string }[];
}

/**
 * Reads the threat model, and checks each claim of a proof: the file is there and has a test of that title, each control has
 * one, each document exists.
 *
 * @param root of the project.
 * @throws Error with all that is wrong, a line each.
 */
export function readTrust(root: string, markdown: string): Trust {
  const problems: string[] = [];
  const proofs = readProofs(section(markdown, "The tests that prove it"));
  for (const { document, tests } of proofs.values()) {
    if (!existsSync(join(root, "docs", document.file))) problems.push(`docs/${document.file} does not exist`);
    for (const { file, title } of tests) {
      if (!hasTest(join(root, file), title)) problems.push(`${file} has no test "${title}"`);
    }
  }
  const controls = tableRows(section(markdown, "What holds it")).map(([name = "", where = ""]) => {
    const guarantee = /\((G\d+)\)/.exec(name)?.[1] ?? name;
    const proof = proofs.get(guarantee);
    if (proof === undefined || proof.tests.length === 0) problems.push(`no test is named for "${name}"`);
    proofs.delete(guarantee);
    return {
      name,
      where,
      document: proof?.document ?? { label: "", file: "" },
      tests: proof?.tests ?? [],
    };
  });
  for (const guarantee of proofs.keys())
    problems.push(`tests are named for ${guarantee}, which is no control`);
  const attackers = tableRows(section(markdown, "Who may attack")).map(
    ([who = "", gets = "", never = ""]) => ({
      who,
      gets,
      never,
    }),
  );
  const notDefended = bullets(section(markdown, "What is not defended")).map(readLimit);
  if (attackers.length === 0 || controls.length === 0 || notDefended.length === 0) {
    problems.push("a section of the threat model is empty");
  }
  if (problems.length > 0) throw new Error(`docs/threat-model.md: ${problems.join("; ")}.`);
  return { attackers, controls, notDefended };
}

type Proof = Pick<Trust["controls"][number], "document" | "tests">;

/** "- **G1** [label](file.md)" followed by "  - `file`: title" for each test. */
function readProofs(text: string): Map<string, Proof> {
  const proofs = new Map<string, { document: Proof["document"]; tests: { file: string; title: string }[] }>();
  let current: { file: string; title: string }[] = [];
  for (const line of joinWrapped(text)) {
    const head = /^- \*\*(.+?)\*\* \[(.+?)\]\((.+?)\)$/.exec(line);
    const test = /^ {2}- `(.+?)`: (.+)$/.exec(line);
    if (head !== null) {
      current = [];
      proofs.set(head[1] ?? "", {
        document: { label: head[2] ?? "", file: head[3] ?? "" },
        tests: current,
      });
    } else if (test !== null) {
      current.push({ file: test[1] ?? "", title: test[2] ?? "" });
    }
  }
  return proofs;
}

/** Whether the file begins a test, or a group of tests, of that title. */
function hasTest(path: string, title: string): boolean {
  if (!existsSync(path)) return false;
  const quoted = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`\\b(?:test|it|describe)\\b[^"'\`]*["'\`]${quoted}["'\`]`).test(
    readFileSync(path, "utf8"),
  );
}

function section(markdown: string, title: string): string {
  const parts = markdown.split(/^## /m);
  return parts.find((part) => part.startsWith(`${title}\n`))?.slice(title.length) ?? "";
}

/** The cells of a table's rows, without its heading. */
function tableRows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

function bullets(text: string): string[] {
  return joinWrapped(text).filter((line) => line.startsWith("- "));
}

/** Lines of a list, each with what was wrapped below it. */
function joinWrapped(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (/^ *- /.test(line)) lines.push(line.trimEnd());
    else if (line.trim() !== "" && lines.length > 0) lines.push(`${lines.pop() ?? ""} ${line.trim()}`);
  }
  return lines;
}

/** The sentence goes on from the words that stand out: its punctuation stays with it. */
function readLimit(line: string): { title: string; text: string } {
  const match = /^- \*\*(.+?)\*\*(.*)$/.exec(line);
  return { title: match?.[1] ?? line.slice(2), text: match?.[2] ?? "" };
}
