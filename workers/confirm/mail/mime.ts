import { utf8 } from "@relaykey/core/bytes";
import type { OutgoingMail } from "@relaykey/core/mail";
import { domainOf } from "@relaykey/core/mailbox";
import type { Mailbox } from "@relaykey/core/mailbox";

const LINE = 76;
/** Bytes of an encoded word: with its frame it stays below the 75 characters of RFC 2047 §2. */
const WORD_BYTES = 42;

/**
 * A mail as SMTP carries it (RFC 5322, 2045): text and HTML as alternatives, both in base64. So no line of the body begins
 * with a dot, and none is too long. Its Message-ID follows from the mail's id, so that a repetition is recognised.
 */
export function toMime(mail: OutgoingMail, from: Mailbox, now: number): string {
  const boundary = `relaykey-${crypto.randomUUID()}`;
  const sender = from.name === "" ? from.address : `${encodeWords(from.name)} <${from.address}>`;
  const id = mail.id.replace(/[^A-Za-z0-9.-]/g, "-");
  return [
    `From: ${sender}`,
    `To: ${mail.to}`,
    `Subject: ${encodeWords(mail.subject)}`,
    `Date: ${new Date(now).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${id}@${domainOf(from.address)}>`,
    // No vacation notes, please (RFC 3834 §5).
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"`,
    "",
    ...part(boundary, "text/plain", mail.text),
    ...part(boundary, "text/html", mail.html),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}

function part(boundary: string, type: string, content: string): string[] {
  return [
    `--${boundary}`,
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: base64",
    "",
    ...(base64(content).match(new RegExp(`.{1,${String(LINE)}}`, "g")) ?? []),
  ];
}

/** Encoded words (RFC 2047), folded. Always encoded: whatever the text holds, a header field it stays. */
function encodeWords(text: string): string {
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (utf8(word + character).length > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((part) => `=?utf-8?B?${base64(part)}?=`).join("\r\n ");
}

function base64(text: string): string {
  let binary = "";
  for (const byte of utf8(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
