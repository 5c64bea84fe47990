import { eventStream, missingFile, spokenSlowly, uploaded } from "../reply.ts";

/** The vendors of language and speech models. */
export async function openai(request: Request, path: string): Promise<Response | null> {
  const requestId = { "x-request-id": `req_${crypto.randomUUID()}` };
  if (request.method === "GET" && path === "/v1/models") {
    return Response.json({ object: "list", data: [model("demo-gpt")] }, { headers: requestId });
  }
  if (request.method === "GET" && path.startsWith("/v1/models/")) return Response.json(model(path.slice(11)));
  if (request.method === "POST" && path === "/v1/files") {
    const file = await uploaded(request, "file");
    if (file === null) return missingFile("file");
    return Response.json({
      id: "file-demo",
      object: "file",
      bytes: file.size,
      filename: file.name,
      purpose: "batch",
      created_at: 1_700_000_000,
      status: "processed",
    });
  }
  if (request.method !== "POST" || path !== "/v1/chat/completions") return null;
  const body: { stream?: boolean; model?: string } = await request.json();
  const base = { id: "chatcmpl-demo", created: 1_700_000_000, model: body.model ?? "demo-gpt" };
  if (body.stream === true) {
    const chunk = (delta: object, finish: string | null) =>
      JSON.stringify({
        ...base,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const words = ["Hello", " from", " the", " demo", " upstream."];
    return eventStream([...words.map((content) => chunk({ content }, null)), chunk({}, "stop"), "[DONE]"]);
  }
  const message = { role: "assistant", content: "Hello from the demo upstream." };
  return Response.json(
    {
      ...base,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
    },
    { headers: requestId },
  );
}

function model(id: string): object {
  return { id, object: "model", created: 1_700_000_000, owned_by: "demo" };
}

export async function anthropic(request: Request, path: string): Promise<Response | null> {
  if (request.method === "POST" && path === "/v1/files") {
    const file = await uploaded(request, "file");
    if (file === null) return missingFile("file");
    return Response.json({
      id: "file_demo",
      type: "file",
      filename: file.name,
      mime_type: file.type,
      size_bytes: file.size,
      created_at: "2026-01-01T00:00:00Z",
    });
  }
  if (request.method !== "POST" || path !== "/v1/messages") return null;
  if (request.headers.get("anthropic-version") === null) {
    return Response.json(
      {
        type: "error",
        error: { type: "invalid_request_error", message: "anthropic-version: header is required" },
      },
      { status: 400 },
    );
  }
  const body: { stream?: boolean; model?: string } = await request.json();
  const message = {
    id: "msg_demo",
    type: "message",
    role: "assistant",
    model: body.model ?? "demo",
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 5 },
  };
  if (body.stream !== true) {
    const content = [{ type: "text", text: "Hello from the demo upstream." }];
    return Response.json(
      { ...message, content, stop_reason: "end_turn" },
      { headers: { "request-id": "req_demo" } },
    );
  }
  const event = (type: string, rest: object) => ({ event: type, data: { type, ...rest } });
  return eventStream([
    event("message_start", { message: { ...message, content: [] } }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...["Hello", " from the demo", " upstream."].map((text) =>
      event("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    ),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }),
    event("message_stop", {}),
  ]);
}

export async function google(request: Request, path: string, url: URL): Promise<Response | null> {
  if (request.method !== "POST") return null;
  if (path.startsWith("/upload/")) return googleUpload(request, url);
  if (!/^\/v1(beta)?\/models\//.test(path)) return null;
  const answer = (text: string) => ({
    candidates: [{ content: { role: "model", parts: [{ text }] }, index: 0 }],
    modelVersion: "demo",
  });
  if (path.endsWith(":generateContent")) return Response.json(answer("Hello from the demo upstream."));
  if (!path.endsWith(":streamGenerateContent")) return null;
  return eventStream(["Hello", " from the demo", " upstream."].map((text) => JSON.stringify(answer(text))));
}

/** Google's resumable upload: the first call is answered with the URL that the bytes are to be sent to. */
async function googleUpload(request: Request, url: URL): Promise<Response> {
  if (request.headers.get("x-goog-upload-command") === "start") {
    const next = `${url.origin}${url.pathname}?upload_id=demo&upload_protocol=resumable`;
    return Response.json({}, { headers: { "x-goog-upload-url": next, "x-goog-upload-status": "active" } });
  }
  const { byteLength } = await request.arrayBuffer();
  const file = { name: "files/demo", sizeBytes: String(byteLength), mimeType: "text/plain", state: "ACTIVE" };
  return Response.json({ file }, { headers: { "x-goog-upload-status": "final" } });
}

export async function elevenlabs(request: Request, path: string): Promise<Response | null> {
  if (request.method === "GET" && path === "/v1/models") {
    return Response.json([{ model_id: "demo", name: "Demo" }]);
  }
  if (request.method !== "POST") return null;
  if (path === "/v1/speech-to-text") {
    const file = await uploaded(request, "file");
    if (file === null) return missingFile("file");
    return Response.json({
      language_code: "en",
      language_probability: 1,
      text: `${String(file.size)} bytes of speech`,
      words: [],
    });
  }
  if (/^\/v1\/text-to-speech\/[^/]+\/stream$/.test(path)) return spokenSlowly(["ID3", " demo", " audio"]);
  if (!path.startsWith("/v1/text-to-speech/")) return null;
  return new Response(new TextEncoder().encode("ID3 demo audio"), {
    headers: { "Content-Type": "audio/mpeg" },
  });
}
