import { NOTICE_TYPES } from "@relaykey/core/notice";
import type { NoticeType } from "@relaykey/core/notice";
import type { MailMessage } from "@relaykey/core/mail";
import type { NoticeRow } from "@relaykey/db/queries/notices";

type Alert = Extract<MailMessage, { readonly kind: "alert" }>;
type Words = Pick<Alert, "title" | "text" | "action">;

/** What admins are mailed about a notice. All names in it come from the organization itself, or from the network's operator. */
export function alertWords(notice: NoticeRow, controlUrl: string): Words {
  const page = (path: string, label: string) => ({ label, url: `${controlUrl}${path}` });
  const key = said(notice, "key", "a key");
  const holder = said(notice, "holder", "its holder");
  const keyPage = `/keys/${notice.keyId ?? ""}`;
  const inbox = page("/notices", "See all notices");
  switch (notice.type as NoticeType) {
    case "key.frozen":
      return {
        title: `${holder} froze the key ${key}`,
        text: [
          ...("address" in notice.data
            ? [
                `Somebody called with the key ${key} from ${where(notice)}. ${holder} said: this wasn't me.`,
                "Since that moment every request with the key is refused. Nothing from that address reached the vendor.",
              ]
            : [
                `${holder} said of the key ${key}: it is not safe.`,
                "Since that moment every request with the key is refused.",
              ]),
          "The key is probably known to somebody else: issue a new one with the same rules, and hand it to its holder.",
        ],
        action: page(`${keyPage}?confirm=reroll`, "Issue a new key"),
      };
    case "key.blocked_storm":
      return {
        title: `Many requests with the key ${key} are blocked`,
        text: [
          `${said(notice, "count", "Many")} requests were refused within ${said(notice, "minutes", "a few")} minutes, most of them because: ${said(notice, "reason_title", "not allowed")}.`,
          "Either a program is set up wrongly, or somebody tries what the key may not do. Nothing of it reached the vendor.",
        ],
        action: page(keyPage, "Look at the key"),
      };
    case "key.expiring":
      return {
        title: `The key ${key} expires soon`,
        text: [
          `It expires at ${said(notice, "expires_at", "its expiry")}. Requests are refused from then on.`,
          "Others may expire as well: of these you get one mail a day. All are in the list of notices.",
        ],
        action: page(keyPage, "Look at the key"),
      };
    case "holder.confirmation_storm":
      return {
        title: `Many new addresses at once use keys of ${holder}`,
        text: [
          `The key ${key} was used from ${said(notice, "networks", "many")} new networks within minutes. None of these requests reached the vendor.`,
          "The holder is mailed about a few of them only. If the key has leaked, revoke it or issue a new one.",
        ],
        action: page(keyPage, "Look at the key"),
      };
    case "holder.mail_failed":
      return {
        title: `Mail to ${said(notice, "address", "a holder")} does not arrive`,
        text: [
          said(notice, "reason", "") === "complained"
            ? "The mail was reported as spam. No more is sent to this address."
            : said(notice, "reason", "") === "bounced"
              ? "The address does not exist, or refuses mail for good. No more is sent to it."
              : "It could not be sent, after several attempts.",
          "Without mail the holder cannot confirm a new address. Correct it, or approve the network yourself.",
        ],
        action: page(`/holders/${notice.holderId ?? ""}`, "Look at the holder"),
      };
    case "integration.failing":
      return {
        title: `${said(notice, "integration", "A vendor")} refuses its key`,
        text: [
          `The last ${said(notice, "answers", "")} answers of the vendor were ${said(notice, "status", "401")}: it does not accept the stored key.`,
          "The key was probably revoked or replaced at the vendor. Store the new one; the RelayKeys stay as they are.",
        ],
        action: page(`/integrations/${notice.integrationId ?? ""}`, "Store a new vendor key"),
      };
    case "custody.key_refused":
      return {
        title: "Your customer-managed key refuses to open vendor keys",
        text: [
          `Requests to ${said(notice, "integration", "an integration")} are refused: AWS KMS does not let RelayKey use your key. Other integrations that are sealed under it are refused as well.`,
          "If that is meant, nothing needs to be done. Otherwise enable the key, and let RelayKey's principal do kms:Decrypt in its key policy.",
        ],
        action: page("/settings/custody", "Look at custody"),
      };
    case "audit.chain_broken":
      return {
        title: "The audit log does not fit its chain",
        text: [
          said(notice, "what", "What was recorded is not what is there."),
          "Somebody who can write to the database changed the log, or it was restored from an older copy. Keep a copy of it as it is, and find out who could.",
        ],
        action: page("/audit", "Look at the audit log"),
      };
    case "webhook.disabled":
      return {
        title: "A webhook endpoint was disabled",
        text: [
          said(notice, "reason", "") === "gone"
            ? `${said(notice, "url", "It")} answered 410 (gone): nothing more is sent to it.`
            : `${said(notice, "url", "It")} has not accepted a message for three days: nothing more is sent to it.`,
          "Once it works again, enable it and replay what it has missed.",
        ],
        action: page(`/settings/webhooks/${said(notice, "endpoint_id", "")}`, "Look at the endpoint"),
      };
    case "key.created":
    case "key.revoked":
    case "key.unfrozen":
    case "holder.network_pending":
    case "holder.network_confirmed":
    case "holder.network_removed":
    case "webhook.test":
      return { title: NOTICE_TYPES[notice.type as NoticeType], text: [], action: inbox };
  }
}

/** A fact of the notice, on one line. */
function said({ data }: NoticeRow, name: string, otherwise: string): string {
  const fact = data[name];
  if (typeof fact !== "string" && typeof fact !== "number") return otherwise;
  // Line ends and the like have no business in a subject.
  const text = String(fact)
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, " ")
    .trim();
  return text === "" ? otherwise : text.slice(0, 200);
}

function where(notice: NoticeRow): string {
  const address = said(notice, "address", "an address that is not theirs");
  const place = [said(notice, "city", ""), said(notice, "country", "")]
    .filter((part) => part !== "")
    .join(", ");
  return place === "" ? address : `${address} (${place})`;
}
