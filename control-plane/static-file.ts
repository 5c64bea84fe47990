/** What the build makes. Its names under /assets/ hold a hash of what is in them. */
const FILES = /^\/(?:assets\/[^/]+|docs\/[^/]+\.js|favicon\.svg)$/;
const FOR_GOOD = "public, max-age=31536000, immutable";

/** A file of the dashboard; null when the request is for none. */
export async function staticFile(request: Request, assets: Fetcher): Promise<Response | null> {
  const { pathname } = new URL(request.url);
  if (!FILES.test(pathname) || (request.method !== "GET" && request.method !== "HEAD")) return null;
  const file = await assets.fetch(request);
  if (file.status === 404) {
    await file.body?.cancel();
    return null;
  }
  const answer = new Response(file.body, file);
  answer.headers.set("Cache-Control", pathname.startsWith("/assets/") ? FOR_GOOD : "no-cache");
  return answer;
}
