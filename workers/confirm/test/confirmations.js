import { WorkerEntrypoint } from "cloudflare:workers";

/**
 * Stands in for the data plane's service of that name: answers as a test has arranged, by token, and notes what was
 * asked. What the service itself does is tested where it is built.
 */
const arranged = new Map();
const mails = new Map();
const reviews = new Map();
/** They change nothing. */
const LOOKS = ["view", "review"];
const calls = [];

export class Confirmations extends WorkerEntrypoint {
  arrange(token, answers) {
    arranged.set(token, answers);
  }

  arrangeMail(pendingId, mail) {
    mails.set(pendingId, mail);
  }

  arrangeReview(generation, mail) {
    reviews.set(generation, mail);
  }

  calls(token) {
    return calls.filter((call) => call.token === token).map(({ method, args }) => [method, ...args]);
  }

  mail(_locator, pendingId) {
    if (mails.get(pendingId) === "down") throw new Error("arranged to fail");
    return mails.get(pendingId) ?? null;
  }

  view(locator, token) {
    return answer("view", locator, token);
  }

  confirm(locator, token, number) {
    return answer("confirm", locator, token, number);
  }

  reject(locator, token) {
    return answer("reject", locator, token);
  }

  resend(locator, token) {
    return answer("resend", locator, token);
  }

  reviewMail(_locator, generation) {
    return reviews.get(generation) ?? null;
  }

  openReview(locator, token) {
    return answer("openReview", locator, token);
  }

  review(locator, token) {
    return answer("review", locator, token);
  }

  stopTrusting(locator, token, network) {
    return answer("stopTrusting", locator, token, network);
  }

  freezeKey(locator, token, keyId) {
    return answer("freezeKey", locator, token, keyId);
  }

  ping() {
    return "ok";
  }
}

function answer(method, locator, token, ...args) {
  if (!LOOKS.includes(method)) calls.push({ token, method, args: [locator, ...args] });
  const answers = arranged.get(token) ?? {};
  if (answers.down === true) throw new Error("arranged to fail");
  const { [method]: given = { state: method.endsWith("eview") ? "ended" : "unknown" }, then } = answers;
  // What a use leaves behind.
  if (then?.[method] !== undefined) arranged.set(token, { ...answers, ...then[method] });
  return given;
}

/** Notices that were queued for the control plane. */
const notices = [];

/** Over HTTP for tests that run outside. */
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/arrange": {
        const { token, answers } = await request.json();
        arranged.set(token, answers);
        return new Response("ok");
      }
      case "/arrange-mail": {
        const { pendingId, mail } = await request.json();
        mails.set(pendingId, mail);
        return new Response("ok");
      }
      case "/arrange-review": {
        const { generation, mail } = await request.json();
        reviews.set(generation, mail);
        return new Response("ok");
      }
      case "/enqueue":
        await env.MAIL_QUEUE.send(await request.text(), { contentType: "text" });
        return new Response("ok");
      case "/notices":
        return Response.json(notices);
      default:
        return Response.json(
          calls
            .filter((call) => call.token === searchParams.get("token"))
            .map(({ method, args }) => [method, ...args]),
        );
    }
  },

  queue(batch) {
    notices.push(...batch.messages.map(({ body }) => JSON.parse(body)));
  },
};
