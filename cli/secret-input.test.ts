import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readSecret } from "./secret-input.ts";
import type { Input } from "./secret-input.ts";

/** A terminal at which these keys are pressed, one chunk each. */
function terminal(...presses: string[]): { input: Input; modes: boolean[] } {
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (mode: boolean) => {
      modes.push(mode);
    },
  });
  for (const press of presses) input.write(press);
  return { input, modes };
}

function screen(): { output: PassThrough; shown: () => string } {
  const output = new PassThrough();
  return { output, shown: () => String(output.read() ?? "") };
}

test("what is typed at the prompt is not shown, can be corrected, and the terminal is put back", async () => {
  const { input, modes } = terminal("sk-1x", "\u007f", "23", "\r");
  const { output, shown } = screen();
  const secret = await readSecret(false, "Vendor key for openai", input, output);
  expect(secret.reveal()).toBe("sk-123");
  expect(shown()).toBe("Vendor key for openai: \n");
  expect(modes).toEqual([true, false]);
});

test("Ctrl-C and an empty line store nothing", async () => {
  await expect(readSecret(false, "Key", terminal("abc", "\u0003").input, screen().output)).rejects.toThrow(
    /nothing was/,
  );
  await expect(readSecret(false, "Key", terminal("\r").input, screen().output)).rejects.toThrow(/empty/);
});
