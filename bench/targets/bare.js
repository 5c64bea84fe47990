// The least that a proxy on this platform can do: the limit that everything else is measured against.
export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    return fetch(`${env.UPSTREAM}${pathname}${search}`, request);
  },
};
