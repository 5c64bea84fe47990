/**
 * Lets Scalar draw the API's reference on a page that admits no inline style: style elements get the page's nonce, and style
 * attributes are set through the CSSOM, which a Content-Security-Policy does not govern. It runs before Scalar.
 */
"use strict";
{
  const { content: nonce } = document.querySelector('meta[property="csp-nonce"]');
  /** In a start tag, and only there: text in markup has no "<". */
  const STYLE = /(<[a-z][^<>]*?)\sstyle="([^"]*)"/gi;

  // Scalar's validator asks whether it may compile code; it may not, and need not try.
  globalThis.__zod_globalConfig = { jitless: true };

  const { createElement } = Document.prototype;
  Document.prototype.createElement = function (...named) {
    const element = createElement.apply(this, named);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };

  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (name, value) {
    if (String(name).toLowerCase() === "style" && "style" in this) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  const inner = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML");
  Object.defineProperty(Element.prototype, "innerHTML", {
    ...inner,
    set(html) {
      inner.set.call(this, String(html).replace(STYLE, '$1 data-style="$2"'));
      for (const element of this.querySelectorAll("[data-style]")) {
        element.style.cssText = element.dataset.style;
        delete element.dataset.style;
      }
    },
  });
}
