import { createServer } from "node:http";
import { generate } from "selfsigned";
import { SMTPServer } from "smtp-server";

/**
 * Vitest's global set-up: real SMTP servers on loopback, one per way of being secured, and a page that tells what they
 * took. Who is `refused@` or `busy@` is answered so.
 */
export default async function setup(project) {
  const authority = await generate([{ name: "commonName", value: "Authority of a test" }], {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const taken = [];
  const servers = {};
  const start = async (name, options) => {
    const server = new SMTPServer({ cert, key, logger: false, ...behaviour(name, taken), ...options });
    server.on("error", () => undefined);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers[name] = server;
    return server.server.address().port;
  };
  const ports = {
    open: await start("open", {
      secure: false,
      disabledCommands: ["STARTTLS"],
      authOptional: true,
      allowInsecureAuth: true,
    }),
    starttls: await start("starttls", { secure: false }),
    tls: await start("tls", { secure: true, authMethods: ["LOGIN"] }),
  };
  const board = createServer((_request, response) => response.end(JSON.stringify(taken)));
  await new Promise((resolve) => board.listen(0, "127.0.0.1", resolve));
  project.provide(
    "mailServers",
    JSON.stringify({ authority: authority.cert, ports, board: `http://127.0.0.1:${board.address().port}/` }),
  );
  return async () => {
    board.close();
    await Promise.all(
      Object.values(servers).map((server) => new Promise((resolve) => server.close(resolve))),
    );
  };
}

function behaviour(server, taken) {
  return {
    onAuth({ username, password }, _session, done) {
      if (username === "relay@key" && password === "p:ss wörd") done(null, { user: username });
      else done(new Error("Invalid login"));
    },
    onRcptTo({ address }, _session, done) {
      if (address.startsWith("refused@")) done(reply(550, "5.1.1 No such mailbox"));
      else if (address.startsWith("busy@")) done(reply(451, "4.3.0 Try again later"));
      else if (address.startsWith("blocked@")) done(reply(554, "5.7.1 Relay access denied"));
      else done();
    },
    onData(stream, session, done) {
      const chunks = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("utf8");
        if (raw.includes("To: spam@")) {
          done(reply(554, "5.6.0 Not this"));
          return;
        }
        taken.push({
          server,
          secure: session.secure,
          user: session.user ?? null,
          from: session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw,
        });
        done();
      });
    },
  };
}

function reply(responseCode, message) {
  return Object.assign(new Error(message), { responseCode });
}
