// Runs one of the project's TypeScript programs, on any machine that has Node 20 or later and npm: brings a current
// Node where needed, installs what is missing, then hands over. Plain JavaScript without dependencies, because
// nothing is installed yet when it starts.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The runtime needs this Node; an older one re-executes itself under `NODE_PACKAGE`. */
const MINIMUM_NODE = [22, 18];
const NODE_PACKAGE = "node@24.21.0";
const PNPM_PACKAGE = `pnpm@${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).packageManager.split("@")[1]}`;
const STAMP = join(ROOT, "node_modules", ".relaykey-installed");

const [program, ...args] = process.argv.slice(2);
if (program === undefined) fail("Usage: node scripts/run.mjs PROGRAM.ts [ARGUMENT …]");

if (isOlder(process.versions.node, MINIMUM_NODE)) {
  say(
    `Node ${process.versions.node} is older than ${MINIMUM_NODE.join(".")}: continuing under ${NODE_PACKAGE} from npm …`,
  );
  const self = [fileURLToPath(import.meta.url), program, ...args];
  process.exit(
    await run("npx", ["--yes", "--loglevel=error", "--package", NODE_PACKAGE, "--", "node", ...self]),
  );
}

const wanted = createHash("sha256")
  .update(readFileSync(join(ROOT, "pnpm-lock.yaml")))
  .digest("hex");
if (!existsSync(STAMP) || readFileSync(STAMP, "utf8") !== wanted) {
  say("Installing dependencies (the lockfile is frozen, install scripts are off) …");
  const code = await run(
    "npx",
    [
      "--yes",
      "--loglevel=error",
      "--package",
      PNPM_PACKAGE,
      "--",
      "pnpm",
      "install",
      "--frozen-lockfile",
      "--reporter=append-only",
      "--loglevel=warn",
    ],
    { stdio: ["ignore", "inherit", "inherit"], env: { ...withoutNpm(process.env), CI: "true" } },
  );
  if (code !== 0)
    fail("The installation failed: the lines above say why. Check that the npm registry can be reached.");
  writeFileSync(STAMP, wanted);
}

const path = [dirname(process.execPath), join(ROOT, "node_modules", ".bin"), process.env.PATH].join(
  delimiter,
);
process.exit(
  await run(process.execPath, ["--disable-warning=ExperimentalWarning", join(ROOT, program), ...args], {
    env: { ...process.env, PATH: path, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  }),
);

/** Runs a command to its end and gives its exit code. A signal to this process reaches the command. */
function run(command, parameters, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: "inherit", ...options });
    // A terminal's Ctrl-C reaches the whole process group already; a signal sent to this process alone does not.
    const forward = (signal) => child.kill(signal);
    const ignore = () => undefined;
    process.on("SIGTERM", forward);
    process.on("SIGINT", process.stdin.isTTY ? ignore : forward);
    child.on("error", (error) => {
      fail(`${command} could not be started: ${error.message}`);
    });
    child.on("exit", (code, signal) => {
      process.off("SIGTERM", forward);
      resolve(code ?? (signal === null ? 1 : 130));
    });
  });
}

/** npm hands its own options down as variables: an inner npx would take the outer one's `--package` for its own. */
function withoutNpm(environment) {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/^npm_(?:config_(?:package|call|yes)|lifecycle)/.test(name),
    ),
  );
}

function isOlder(version, minimum) {
  const [major, minor] = version.split(".").map(Number);
  return major < minimum[0] || (major === minimum[0] && minor < minimum[1]);
}

function say(line) {
  process.stderr.write(`relaykey: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
