/**
 * What the pages run in a browser that runs scripts. Without it everything works; with it, a form says whether a person
 * sent it: a scanner that runs scripts and submits forms by itself thereby tells on itself. Times become the reader's own.
 */
export const SCRIPT = `"use strict";
(() => {
  let touched = false;
  for (const type of ["pointerdown", "keydown", "click"]) {
    addEventListener(type, (event) => { if (event.isTrusted) touched = true; }, true);
  }
  const isPerson = () =>
    touched &&
    navigator.webdriver !== true &&
    document.visibilityState === "visible" &&
    (navigator.userActivation === undefined || navigator.userActivation.isActive);
  for (const form of document.forms) {
    const mark = form.elements.namedItem("script");
    mark.value = "running";
    form.addEventListener("submit", () => { mark.value = isPerson() ? "person" : "running"; });
  }
  for (const time of document.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
})();
`;
