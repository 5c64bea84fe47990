import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { WORKERS, buildWorkers } from "@relaykey/local/build";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}

const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" })
  .split("\0")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));

test("every Worker passes a dry run of its deployment, and the proxy stays small", async () => {
  const bundles = await buildWorkers(() => undefined);
  expect(bundles.map(({ name }) => name)).toEqual(WORKERS.map(({ name }) => name));
  for (const { name, size, gzip } of bundles) {
    console.log(`${name}: ${(size / 1_024).toFixed(1)} KiB, ${(gzip / 1_024).toFixed(1)} KiB gzip`);
  }
  const proxy = bundles.find(({ name }) => name === "proxy");
  expect(proxy?.gzip).toBeGreaterThan(1_024);
  expect(proxy?.gzip).toBeLessThan(100 * 1_024);
});

test("the proxy has fewer than 30 direct dependencies", () => {
  // What the proxy's own code imports, directly or through core, is what must earn its place.
  const names = ["workers/proxy", "core"].flatMap((folder) =>
    Object.keys(manifest(folder).dependencies ?? {}).filter((name) => !name.startsWith("@relaykey/")),
  );
  console.log(`Direct dependencies of the proxy: ${names.join(", ")}`);
  expect(names.length).toBeGreaterThan(0);
  expect(names.length).toBeLessThan(30);
});

test("every dependency is pinned to one version", () => {
  for (const file of tracked.filter((name) => /(?:^|\/)package\.json$/.test(name))) {
    const { dependencies, devDependencies } = manifest(join(file, ".."));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, `${file}: ${name}`).toMatch(/^(?:workspace:\*|\d+\.\d+\.\d+(?:-[\w.]+)?)$/);
    }
  }
});

test("no dependency may run code when it is installed", () => {
  expect(readFileSync(join(ROOT, "pnpm-workspace.yaml"), "utf8")).toMatch(/^onlyBuiltDependencies: \[\]$/m);
});

test("nothing in the repository names a machine's folders or a registry's host", () => {
  const telling = /(?:^|[\s"'`(=:])\/(?:root|work|home|farm)\/|registry\.npmjs|deb\.debian/;
  for (const file of tracked.filter((name) =>
    /\.(?:[cm]?[jt]sx?|json|toml|ya?ml|md|sql|sh)$|\.ci\/run$/.test(name),
  )) {
    if (file.endsWith("repository.test.ts")) continue;
    const line = readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .find((text) => telling.test(text));
    expect(line, file).toBeUndefined();
  }
});
