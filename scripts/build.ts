/** `npm run build`: bundles every Worker and prints the sizes. */
import { StartError } from "@relaykey/local/config/error";
import { buildWorkers } from "@relaykey/local/build";

try {
  const bundles = await buildWorkers((line) => {
    console.log(line);
  });
  const kib = (bytes: number): string => `${(bytes / 1_024).toFixed(1).padStart(8)} KiB`;
  console.log(`\n${"Worker".padEnd(16)}${"size".padStart(12)}${"gzip".padStart(13)}`);
  for (const { name, size, gzip } of bundles) console.log(`${name.padEnd(16)}${kib(size)} ${kib(gzip)}`);
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
}
