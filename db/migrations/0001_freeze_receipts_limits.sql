CREATE TABLE "enforcement_receipts" (
	"organization_id" uuid NOT NULL,
	"key_id" uuid NOT NULL,
	"version" bigint NOT NULL,
	"enforced_at" timestamp with time zone NOT NULL,
	"waited_ms" integer NOT NULL,
	CONSTRAINT "enforcement_receipts_key_id_version_pk" PRIMARY KEY("key_id","version")
);
--> statement-breakpoint
ALTER TABLE "holders" ADD COLUMN "limits" jsonb DEFAULT '{"rate":null,"uses":null,"concurrency":null,"maxBodyBytes":null}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "integrations" ADD COLUMN "response_cookies" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "integrations" ADD COLUMN "scrub_responses" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "frozen" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "enforcement_receipts" ADD CONSTRAINT "enforcement_receipts_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enforcement_receipts" ADD CONSTRAINT "enforcement_receipts_key_id_relay_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."relay_keys"("id") ON DELETE no action ON UPDATE no action;