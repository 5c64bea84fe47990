import type { Example } from "./example.ts";

/** Names that a page must bear: long ones, other scripts, from right to left, and what looks like markup. */
const NAMES = [
  "مفتاح خدمة الدفع للعملاء",
  "決済サービス本番環境 🗝️",
  "eu-west-production-billing-reconciliation-service-with-a-name-that-goes-on-and-on-until-the-end-x",
  "<b>Robert'); DROP TABLE keys;--",
];

const LONG_PATH = `/v1/organizations/${"0123456789abcdef".repeat(6)}/projects/${"f".repeat(80)}/threads/*`;

/** Adds holders and keys with names that strain a page, behind those that are there, and requests with a long path. */
export async function fillStrange({ admin }: Example): Promise<void> {
  for (const name of NAMES) {
    await admin.call("POST", "/holders", { name, kind: "service" });
    const { token } = await admin.call<{ token: string }>("POST", "/keys", {
      holder: name,
      integration: "openai",
      allow: ["GET /v1/models", `GET ${LONG_PATH}`],
      ip: { mode: "any" },
    });
    await fetch(`${admin.local.proxy}/openai${LONG_PATH.replace("*", "1")}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  }
}
