/** One column, phone first, in the reader's light or dark. Sent inline under a nonce: a page is one request. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f8fafc; --card: #ffffff; --ink: #0f172a; --soft: #475569; --line: #e2e8f0; --edge: #64748b;
  --accent: #4338ca; --on-accent: #ffffff; --danger: #b91c1c; --on-danger: #ffffff; --good: #15803d; --tint: #eef2ff;
  --alarm: #fef2f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #020617; --card: #0f172a; --ink: #f1f5f9; --soft: #a3b1c6; --line: #293548; --edge: #94a3b8;
    --accent: #a5b4fc; --on-accent: #1e1b4b; --danger: #fca5a5; --on-danger: #450a0a; --good: #86efac; --tint: #1e1b4b;
    --alarm: #2a1215;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.brand { margin: 0 0 1rem; font-weight: 600; font-size: 0.9375rem; letter-spacing: -0.01em; color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.5rem 1.25rem; }
h1 { margin: 0 0 0.75rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.02em; overflow-wrap: anywhere; text-wrap: balance; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.0625rem; line-height: 1.35; }
h3 { margin: 0 0 0.75rem; font-size: 1rem; line-height: 1.35; overflow-wrap: anywhere; }
h3 + .soft { margin-top: -0.5rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
.card > :last-child, form > :last-child { margin-bottom: 0; }
.soft { color: var(--soft); }
a { color: var(--accent); text-underline-offset: 0.15em; }
strong { font-weight: 600; }
dl { margin: 0 0 1.75rem; border-bottom: 1px solid var(--line); }
dl > div { display: grid; grid-template-columns: 6.25rem 1fr; gap: 0 0.75rem; padding: 0.55rem 0; border-top: 1px solid var(--line); font-size: 0.9375rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.9em; }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; min-width: 0; }
legend { padding: 0; margin: 0 0 0.75rem; font-weight: 600; }
.choice { position: relative; display: flex; gap: 0.75rem; align-items: flex-start; padding: 0.8rem 1rem; border: 1px solid var(--edge); border-radius: 10px; cursor: pointer; }
.choice + .choice { margin-top: 0.6rem; }
.choice:has(input:checked) { border-color: var(--accent); background: var(--tint); box-shadow: inset 0 0 0 1px var(--accent); }
.choice:has(input:focus-visible) { outline: 2px solid var(--accent); outline-offset: 2px; }
.choice input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.15rem 0 0; accent-color: var(--accent); }
.choice input:focus-visible { outline: none; }
.choice span { display: block; }
.choice .soft { font-size: 0.9375rem; }
.field { margin: 0 0 1.25rem; }
.field label { display: block; margin: 0 0 0.15rem; font-weight: 600; }
.field .soft { margin: 0 0 0.5rem; font-size: 0.9375rem; }
.field.wide input { width: 100%; font: inherit; letter-spacing: normal; }
.field input { width: 9rem; padding: 0.6rem 0.75rem; font: 600 1.25rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: 0.1em; color: inherit; background: var(--page); border: 1px solid var(--edge); border-radius: 10px; }
button, .button { display: block; width: 100%; min-height: 3rem; padding: 0.65rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: 10px; cursor: pointer; }
.button { text-align: center; text-decoration: none; text-wrap: balance; }
button.plain, .button.plain { color: var(--ink); background: transparent; border-color: var(--edge); }
button.danger { color: var(--on-danger); background: var(--danger); }
.buttons { display: grid; gap: 0.75rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.problem { margin: 0 0 1.25rem; padding: 0.75rem 1rem; background: var(--alarm); border-left: 4px solid var(--danger); border-radius: 6px; scroll-margin: 1rem; }
.problem:focus { outline: none; }
.sign { display: grid; place-items: center; width: 3rem; height: 3rem; margin: 0 0 1rem; border-radius: 50%; border: 2px solid currentColor; font-size: 1.375rem; line-height: 1; font-weight: 600; }
.sign.good { color: var(--good); }
.sign.bad { color: var(--danger); }
.sign.calm { color: var(--soft); }
.after { margin: 1.25rem 0 0; }
.cards, ul.plain { list-style: none; margin: 0; padding: 0; }
ul.plain { font-size: 0.9em; }
.cards > .card + .card { margin-top: 0.75rem; }
.cards dl { margin-bottom: 1.25rem; }
.decoy { display: none; }
footer { padding: 1.25rem 0.25rem 0; font-size: 0.875rem; color: var(--soft); }
footer p { margin: 0; }
ol, ul { margin: 0 0 1rem; padding-left: 1.35rem; }
li + li { margin-top: 0.35rem; }
@media (min-width: 40rem) {
  main { padding-top: 3.5rem; }
  .card { padding: 2rem; }
  .cards > .card { padding: 1.5rem; }
  .buttons { grid-template-columns: 1fr 1fr; }
}
@media (max-width: 20rem) { dl > div { grid-template-columns: 1fr; } }
`;
