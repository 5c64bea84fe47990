// An Express application as many are: files, and a route whose parameter names one.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import express from "express";

const [root = "", port = ""] = process.argv.slice(2);
const app = express();
app.get("/v1/:folder/:file", async (request, response, next) => {
  try {
    response.send(await readFile(join(root, "v1", request.params.folder, request.params.file), "utf8"));
  } catch {
    next();
  }
});
app.use(express.static(root));
app.listen(Number(port), "127.0.0.1");
