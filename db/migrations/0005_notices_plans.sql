CREATE TABLE "usage_days" (
	"organization_id" uuid NOT NULL,
	"day" date NOT NULL,
	"requests" bigint NOT NULL,
	CONSTRAINT "usage_days_organization_id_day_pk" PRIMARY KEY("organization_id","day")
);
--> statement-breakpoint
CREATE TABLE "alerts" (
	"notice_id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"claimed_until" timestamp with time zone,
	"sent_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stripe_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "organizations" ALTER COLUMN "audit_retention_days" SET DEFAULT 365;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "disabled_by" text;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "retention_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "stripe_synced_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alerts_open" ON "alerts" USING btree ("sent_at","claimed_until");--> statement-breakpoint
-- Plan and retention used to differ: organizations on the plan "business" kept events for 30 days. Their events and keys follow.
UPDATE "organizations" SET "audit_retention_days" = 365, "retention_changed_at" = now() WHERE "plan" = 'business' AND "audit_retention_days" <> 365;--> statement-breakpoint
WITH "bumped" AS (
	UPDATE "relay_keys" SET "policy_version" = "policy_version" + 1 WHERE "state" <> 'revoked'
	RETURNING "id", "organization_id", "policy_version"
)
INSERT INTO "outbox" ("id", "organization_id", "key_id", "version")
SELECT gen_random_uuid(), "organization_id", "id", "policy_version" FROM "bumped";--> statement-breakpoint
-- A UUIDv7 of now: ids are the order of time.
CREATE FUNCTION relaykey_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT overlay(gen_random_uuid()::text PLACING
		overlay(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') PLACING '-' FROM 9 FOR 0) || '-7'
		FROM 1 FOR 15)::uuid
$$;--> statement-breakpoint
-- Each notice makes its webhook deliveries, whoever writes it. A test is delivered where it was asked for only.
CREATE FUNCTION relaykey_deliver_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, notice_id, state, next_attempt_at)
	SELECT relaykey_new_id(), NEW.organization_id, endpoint.id, NEW.id, 'waiting', now()
	FROM webhook_endpoints AS endpoint
	WHERE endpoint.organization_id = NEW.organization_id AND endpoint.disabled_at IS NULL
		AND (cardinality(endpoint.types) = 0 OR NEW.type = ANY (endpoint.types))
	-- An endpoint that is being removed at this moment is waited for, and then not there.
	FOR KEY SHARE;
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER deliver_notice AFTER INSERT ON "notices" FOR EACH ROW WHEN (NEW.type <> 'webhook.test')
	EXECUTE FUNCTION relaykey_deliver_notice();--> statement-breakpoint
-- Admin events of a key's life are notices too, in the same transaction. A holder's own freeze is reported by the data plane.
CREATE FUNCTION relaykey_notice_admin_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO notices (id, organization_id, type, dedupe_key, key_id, holder_id, integration_id, data, at)
	SELECT relaykey_new_id(), NEW.organization_id, NEW.action, 'admin_event.' || NEW.id, relay_key.id, relay_key.holder_id,
		relay_key.integration_id,
		jsonb_build_object('key', relay_key.name, 'display', relay_key.display, 'holder', holder.name,
			'integration', integration.slug, 'by', NEW.actor_kind, 'via', NEW.via),
		now()
	FROM relay_keys AS relay_key
	JOIN holders AS holder ON holder.id = relay_key.holder_id
	JOIN integrations AS integration ON integration.id = relay_key.integration_id
	WHERE relay_key.id = NEW.subject_id AND relay_key.organization_id = NEW.organization_id
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER notice_admin_event AFTER INSERT ON "admin_audit_events" FOR EACH ROW
	WHEN (NEW.action IN ('key.created', 'key.revoked', 'key.frozen', 'key.unfrozen') AND NEW.actor_kind <> 'holder')
	EXECUTE FUNCTION relaykey_notice_admin_event();--> statement-breakpoint
-- Stops the transaction of a create that would exceed what the plan allows.
CREATE FUNCTION relaykey_require_below(used bigint, allowed bigint, resource text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF used >= allowed THEN RAISE EXCEPTION 'plan limit reached: %', resource USING ERRCODE = 'RK001'; END IF;
END $$;
