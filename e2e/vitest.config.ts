import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** The sweep looks at what all the others left behind. */
class SweepLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSweep = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith("canary.test.ts");
    const sorted = await super.sort(files);
    return [...sorted.filter((file) => !isSweep(file)), ...sorted.filter(isSweep)];
  }
}

export default defineConfig({
  test: {
    name: "e2e",
    include: ["**/*.test.ts"],
    globalSetup: ["./shared-stack.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One stack at a time on two cores.
    fileParallelism: false,
    sequence: { sequencer: SweepLast },
  },
});
