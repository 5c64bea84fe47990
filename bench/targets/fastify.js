// A key proxy as many teams would write it: Fastify, its proxy plug-in, and a hashed look-up of the caller's key.
import { createHash } from "node:crypto";
import proxy from "@fastify/http-proxy";
import Fastify from "fastify";

const { UPSTREAM, PORT, KEY } = process.env;
const keys = new Map([[createHash("sha256").update(KEY).digest("hex"), { vendorKey: "vendor-key" }]]);

const app = Fastify();
app.register(proxy, {
  upstream: UPSTREAM,
  preHandler: async (request, reply) => {
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    const found = keys.get(createHash("sha256").update(token).digest("hex"));
    if (found === undefined) return reply.code(401).send({ error: "unknown key" });
    request.vendorKey = found.vendorKey;
  },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      authorization: `Bearer ${request.vendorKey}`,
    }),
  },
});
await app.listen({ port: Number(PORT), host: "127.0.0.1" });
