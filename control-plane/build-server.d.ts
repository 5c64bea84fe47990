/** What `remix vite:build` writes; it exists only after a build. */
declare module "*/build/server/index.js";
