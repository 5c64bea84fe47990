import { raw } from "hono/html";
import type { FC, PropsWithChildren } from "hono/jsx";
import type { Block, MailContent } from "./content.ts";

const SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace";
const INK = "#0f172a";
const SOFT = "#475569";
const LINE = "#e2e8f0";
const ACCENT = "#4338ca";

/** Mail programs that know about dark schemes obey it; the others show the light one, from the inline styles. */
const DARK = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #020617 !important; }
  .card { background: #0f172a !important; border-color: #334155 !important; }
  .ink { color: #f1f5f9 !important; }
  .soft { color: #a3b1c6 !important; }
  .line { border-color: #334155 !important; }
  .well { background: #1e293b !important; }
  .button { background: #a5b4fc !important; }
  .button a { color: #1e1b4b !important; }
  .link { color: #c7d2fe !important; }
}`;

/** The HTML of a mail: tables and inline styles, because mail programs know little else. It loads nothing. */
export async function renderHtml(content: MailContent): Promise<string> {
  const html = await (<Mail {...content} />);
  return `<!doctype html>${html}`;
}

const Mail: FC<MailContent> = ({ preview, heading, blocks, footer }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="supported-color-schemes" content="light dark" />
      {/* No phone turns numbers and places into links of its own. */}
      <meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no" />
      <title>{heading}</title>
      <style>{raw(DARK)}</style>
    </head>
    <body class="page" style={`margin:0;padding:0;background:#f8fafc;font-family:${SANS}`}>
      <div style="display:none;max-height:0;overflow:hidden;opacity:0">{preview}</div>
      <Table class="page" style="background:#f8fafc">
        <tr>
          <td align="center" style="padding:32px 12px">
            <Table style="max-width:560px">
              <tr>
                <td
                  class="ink"
                  style={`padding:0 4px 16px;font:600 15px/20px ${SANS};color:${INK};letter-spacing:-0.01em`}
                >
                  RelayKey
                </td>
              </tr>
              <tr>
                <td
                  class="card"
                  style={`background:#ffffff;border:1px solid ${LINE};border-radius:12px;padding:28px 28px 8px`}
                >
                  <h1
                    class="ink"
                    style={`margin:0 0 16px;font:600 22px/28px ${SANS};color:${INK};overflow-wrap:anywhere`}
                  >
                    {heading}
                  </h1>
                  {blocks.map((block) => (
                    <BlockView block={block} />
                  ))}
                </td>
              </tr>
              <tr>
                <td class="soft" style={`padding:16px 4px 0;font:400 13px/19px ${SANS};color:${SOFT}`}>
                  {footer}
                </td>
              </tr>
            </Table>
          </td>
        </tr>
      </Table>
    </body>
  </html>
);

const Table: FC<PropsWithChildren<{ class?: string; style?: string }>> = ({
  class: name,
  style,
  children,
}) => (
  <table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    class={name}
    style={`width:100%;border-collapse:separate;${style ?? ""}`}
  >
    {children}
  </table>
);

const BlockView: FC<{ block: Block }> = ({ block }) => {
  switch (block.kind) {
    case "paragraph":
      return (
        <p
          class="ink"
          style={`margin:0 0 16px;font:400 16px/24px ${SANS};color:${INK};overflow-wrap:anywhere`}
        >
          {block.text}
        </p>
      );
    case "facts":
      return (
        <Table style="margin:4px 0 20px">
          {block.facts.map(({ label, value, technical }) => (
            <tr>
              <td
                class="soft line"
                style={`padding:8px 12px 8px 0;border-top:1px solid ${LINE};font:400 14px/20px ${SANS};color:${SOFT};vertical-align:top;white-space:nowrap`}
              >
                {label}
              </td>
              <td
                class="ink line"
                style={`padding:8px 0;border-top:1px solid ${LINE};font:400 14px/20px ${technical ? MONO : SANS};color:${INK};overflow-wrap:anywhere;word-break:break-word;width:100%`}
              >
                {value}
              </td>
            </tr>
          ))}
        </Table>
      );
    case "action":
      return (
        <table role="presentation" cellpadding="0" cellspacing="0" style="margin:4px 0 20px">
          <tr>
            <td class="button" style={`background:${ACCENT};border-radius:8px`}>
              <a
                href={block.url}
                style={`display:inline-block;padding:13px 22px;font:600 16px/22px ${SANS};color:#ffffff;text-decoration:none`}
              >
                {block.label}
              </a>
            </td>
          </tr>
        </table>
      );
    case "code":
      return (
        <>
          <p class="soft" style={`margin:0 0 8px;font:400 14px/20px ${SANS};color:${SOFT}`}>
            {block.label}
          </p>
          <p
            class="ink well"
            style={`margin:0 0 20px;padding:14px 18px;background:#f1f5f9;border-radius:8px;font:600 26px/32px ${MONO};letter-spacing:0.12em;color:${INK}`}
          >
            {block.code}
          </p>
        </>
      );
    case "quiet":
      return (
        <p class="soft" style={`margin:0 0 20px;font:400 14px/21px ${SANS};color:${SOFT}`}>
          {block.text}
          {block.url === undefined ? null : (
            <>
              {" "}
              <a class="link" href={block.url} style={`color:${ACCENT}`}>
                {block.url}
              </a>
            </>
          )}
        </p>
      );
  }
};
