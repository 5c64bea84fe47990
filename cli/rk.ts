#!/usr/bin/env node
import { runProgram } from "./program.ts";

/** Of a program whose reader has gone away, as shells report SIGPIPE. */
const NOBODY_READS = 141;

// rk audit export | head: whoever reads has enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(NOBODY_READS);
});
// A terminal that was closed takes no last words; rk run still has a key to revoke.
process.stderr.on("error", () => undefined);

const code = await runProgram(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
