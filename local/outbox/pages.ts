import type { KeptMail, MailHead } from "./mailbox.ts";

const STYLE = `
:root { color-scheme: light dark; --page: #f8fafc; --card: #fff; --ink: #0f172a; --soft: #475569; --line: #e2e8f0; --accent: #4338ca; }
@media (prefers-color-scheme: dark) {
  :root { --page: #020617; --card: #0f172a; --ink: #f1f5f9; --soft: #a3b1c6; --line: #334155; --accent: #a5b4fc; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.02em; margin: 0 0 0.35rem; overflow-wrap: anywhere; }
p { margin: 0; color: var(--soft); }
a { color: var(--accent); }
form { display: flex; gap: 0.5rem; margin: 1.5rem 0; }
label { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
input { flex: 1; min-width: 0; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: 8px; padding: 0.5rem 0.75rem; }
button { font: inherit; font-weight: 600; color: var(--card); background: var(--accent); border: 0; border-radius: 8px; padding: 0.5rem 1.1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
ul { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
li + li { border-top: 1px solid var(--line); }
li a { display: block; padding: 0.85rem 1.1rem; color: inherit; text-decoration: none; }
li a:hover { background: var(--page); }
li strong { display: block; font-weight: 600; overflow-wrap: anywhere; }
li span, dl { color: var(--soft); font-size: 0.875rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.15rem 1rem; margin: 1rem 0 1.5rem; }
dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
iframe { width: 100%; height: 46rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
h2 { font-size: 1rem; margin: 2rem 0 0.75rem; }
pre { margin: 0; padding: 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.875rem; }
`;

export function listPage(mails: readonly MailHead[], recipient: string): string {
  const items = mails.map(
    ({ id, to, subject, receivedAt }) =>
      `<li><a href="/messages/${encodeURIComponent(id)}"><strong>${escape(subject)}</strong><span>To ${escape(to)} · ${moment(receivedAt)}</span></a></li>`,
  );
  const nothing = recipient === "" ? "No mail yet." : `No mail to “${escape(recipient)}”.`;
  return layout(
    "Outbox",
    `<h1>Outbox</h1>
<p>What RelayKey would have mailed. Nothing here has left this machine.</p>
<form role="search"><label for="to">Recipient</label><input id="to" name="to" type="search" placeholder="Recipient" value="${escape(recipient)}"><button>Search</button></form>
${items.length === 0 ? `<p>${nothing}</p>` : `<ul>${items.join("")}</ul>`}`,
  );
}

export function mailPage({ id, from, to, subject, text, receivedAt }: KeptMail): string {
  return layout(
    subject,
    `<p><a href="/">Outbox</a></p>
<h1>${escape(subject)}</h1>
<dl><dt>From</dt><dd>${escape(from)}</dd><dt>To</dt><dd>${escape(to)}</dd><dt>Sent</dt><dd>${moment(receivedAt)}</dd></dl>
<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail as HTML" src="/messages/${encodeURIComponent(id)}/html"></iframe>
<h2>The mail as plain text</h2>
<pre tabindex="0">${escape(text)}</pre>`,
  );
}

/** The mail's own HTML. Its links must not open inside the frame. */
export function mailDocument({ html }: KeptMail): string {
  return html.replace("<head>", `<head><base target="_blank">`);
}

export function missingPage(): string {
  return layout("No such mail", `<h1>There is no such mail</h1><p><a href="/">Outbox</a></p>`);
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · RelayKey outbox</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

function moment(at: number): string {
  const iso = new Date(at).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
