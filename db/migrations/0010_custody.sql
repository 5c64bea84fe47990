CREATE TABLE "custody_keys" (
	"organization_id" uuid PRIMARY KEY NOT NULL,
	"key_arn" text,
	"public_key" text,
	"key_id" text,
	"verified_at" timestamp with time zone,
	"revision" integer DEFAULT 1 NOT NULL,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "integration_secrets" ADD COLUMN "rewrapped_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "integration_secrets" ADD COLUMN "rewrap_problem" text;--> statement-breakpoint
ALTER TABLE "integration_secrets" ADD COLUMN "rewrap_failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "integration_secrets" ADD COLUMN "rewrap_due_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "custody_keys" ADD CONSTRAINT "custody_keys_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;