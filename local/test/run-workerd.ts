import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateConfig } from "../config/workerd.ts";
import type { PlacedWorker } from "../config/workerd.ts";
import { Workerd } from "../workerd.ts";

const DEADLINE_MS = 20_000;

/** Asks again until the answer is yes. @throws Error after twenty seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("What was waited for did not happen.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Starts the Workers on a real workerd as the launcher does, with everything on disk under one folder.
 *
 * @throws Error with workerd's last words when one of them does not answer.
 */
export async function runWorkerd(folder: string, workers: readonly PlacedWorker[]): Promise<Workerd> {
  const objects = join(folder, "objects");
  mkdirSync(objects, { recursive: true });
  const { text, environment } = generateConfig(workers, objects);
  const config = join(folder, "config.capnp");
  writeFileSync(config, text);
  const log = join(folder, "workerd.log");
  const workerd = new Workerd({ config, environment, log, onCrash: () => undefined });
  workerd.start();
  try {
    await untilAnswers(workers, workerd);
  } catch (error) {
    await workerd.end("SIGKILL");
    throw error;
  }
  return workerd;
}

/** @throws Error with workerd's last words when a Worker that listens does not answer. */
export async function untilAnswers(workers: readonly PlacedWorker[], workerd: Workerd): Promise<void> {
  const sites = workers.flatMap(({ listen }) => (listen === null ? [] : [`http://${listen}/healthz`]));
  const answers = (site: string): Promise<boolean> =>
    fetch(site, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.text().then(() => true),
      () => false,
    );
  try {
    for (const site of sites) await until(() => answers(site));
  } catch (error) {
    throw new Error(`workerd does not answer. It said: ${workerd.lastWords}`, { cause: error });
  }
}
