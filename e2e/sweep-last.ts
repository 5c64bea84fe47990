import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** The sweep looks at what all the others left behind. Vitest takes its order of files from the root alone. */
export class SweepLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSweep = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith("canary.test.ts");
    const sorted = await super.sort(files);
    return [...sorted.filter((file) => !isSweep(file)), ...sorted.filter(isSweep)];
  }
}
