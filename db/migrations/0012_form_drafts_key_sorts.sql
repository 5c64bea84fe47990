CREATE TABLE "form_drafts" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"sealed" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "form_drafts_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "form_drafts" ADD CONSTRAINT "form_drafts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "relay_keys_name" ON "relay_keys" USING btree ("organization_id",lower("name"),"id");--> statement-breakpoint
CREATE INDEX "relay_keys_first_to_expire" ON "relay_keys" USING btree ("organization_id","expires_at","id");--> statement-breakpoint
CREATE INDEX "relay_keys_last_to_expire" ON "relay_keys" USING btree ("organization_id","expires_at" DESC NULLS LAST,"id" DESC NULLS FIRST);