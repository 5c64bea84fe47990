import { WorkerEntrypoint } from "cloudflare:workers";

/** Keeps what is delivered, for tests to read; an address at `down.example` cannot be delivered to. */
const kept = [];

export class Outbox extends WorkerEntrypoint {
  deliver(mail) {
    if (mail.to.endsWith("@down.example")) throw new Error("arranged to fail");
    if (!kept.some(({ id }) => id === mail.id)) kept.push(mail);
  }

  kept(to) {
    return kept.filter((mail) => mail.to === to);
  }
}

export default { fetch: () => new Response("ok") };
