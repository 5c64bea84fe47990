CREATE TABLE "audit_chain" (
	"organization_id" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"kind" text NOT NULL,
	"previous" text NOT NULL,
	"hash" text NOT NULL,
	"written_at" timestamp with time zone NOT NULL,
	"retention_days" integer NOT NULL,
	"root" text,
	"count" integer,
	"day" date,
	"first_id" uuid,
	"last_id" uuid,
	"key_id" text NOT NULL,
	"signature" text NOT NULL,
	"leaves" "bytea",
	CONSTRAINT "audit_chain_organization_id_sequence_pk" PRIMARY KEY("organization_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "audit_chain_checks" (
	"organization_id" uuid PRIMARY KEY NOT NULL,
	"through_sequence" bigint NOT NULL,
	"through_hash" text NOT NULL,
	"events" bigint NOT NULL,
	"checked_at" timestamp with time zone NOT NULL,
	"patrol_sequence" bigint NOT NULL,
	"patrolled_at" timestamp with time zone,
	"broken_check" text,
	"broken_sequence" bigint,
	"broken_request_id" uuid,
	"broken_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "audit_events" ADD COLUMN "chain_sequence" bigint;--> statement-breakpoint
ALTER TABLE "audit_events" ADD COLUMN "chain_position" integer;