import { label, strict } from "./fields.ts";

export const organizationInput = strict({ name: label });
