import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Milliseconds from sending a request to the first byte of its answer, which is read to its end. */
export function firstByteMs(url: string, cookie: string, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const call = request(url, { agent, headers: { Cookie: cookie, Accept: "text/html" } }, (response) => {
      response.once("readable", () => {
        const ms = performance.now() - begun;
        response.resume();
        response.once("end", () => {
          if (response.statusCode === expected) resolve(ms);
          else reject(new Error(`${url} answered ${String(response.statusCode)}.`));
        });
      });
    });
    call.once("error", reject);
    call.end();
  });
}

/** Closes the connection that the measurements shared. */
export function hangUp(): void {
  agent.destroy();
}
