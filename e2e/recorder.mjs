// A vendor in a thread of its own, so that nothing the test does delays its clock: notes when each request arrived.
import http from "node:http";
import { parentPort } from "node:worker_threads";

/** @type {[string, bigint][]} path and monotonic ns */
const arrivals = [];

const server = http.createServer((request, response) => {
  arrivals.push([request.url ?? "", process.hrtime.bigint()]);
  request.resume();
  response.end("ok");
});
server.listen(0, "127.0.0.1", () => {
  parentPort?.postMessage({ port: server.address().port });
});
parentPort?.on("message", () => {
  parentPort?.postMessage({ arrivals });
});
