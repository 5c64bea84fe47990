import type { LoaderFunctionArgs } from "@remix-run/cloudflare";

const DOCUMENTS = import.meta.glob<string>(["../../../docs/*.md", "../../../docs/decisions/*.md"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The project's documents as they are written, for whoever follows a claim of the trust page. */
export function loader({ params }: LoaderFunctionArgs): Response {
  const text = DOCUMENTS[`../../../docs/${params["*"] ?? ""}`];
  if (text === undefined) return new Response("There is no such document.", { status: 404 });
  return new Response(text, { headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
