CREATE TABLE "traffic_counts" (
	"organization_id" uuid NOT NULL,
	"unit" text NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"key_id" uuid,
	"integration_id" uuid,
	"decision" text NOT NULL,
	"reason" text,
	"expires_on" date NOT NULL,
	"requests" bigint NOT NULL,
	CONSTRAINT "traffic_counts_what" UNIQUE NULLS NOT DISTINCT("organization_id","unit","starts_at","key_id","integration_id","decision","reason","expires_on")
);
--> statement-breakpoint
CREATE INDEX "traffic_counts_key" ON "traffic_counts" USING btree ("key_id","unit","starts_at");--> statement-breakpoint
-- Counts events that were written, moved or deleted, in the transaction that does so. Sorted, so that of two writers one waits.
CREATE FUNCTION relaykey_count_traffic() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	statement constant text := $sql$
		INSERT INTO traffic_counts AS known
			(organization_id, unit, starts_at, key_id, integration_id, decision, reason, expires_on, requests)
		SELECT event.organization_id, piece.unit, piece.starts_at, piece.key_id, event.integration_id, event.decision, event.reason,
			event.expires_on, %s count(*)
		FROM %I AS event CROSS JOIN LATERAL (VALUES
			('half_hour', date_bin('30 minutes', event.at, 'epoch'::timestamptz), NULL::uuid),
			('hour', date_trunc('hour', event.at, 'UTC'), event.key_id),
			('day', date_trunc('day', event.at, 'UTC'), event.key_id)) AS piece (unit, starts_at, key_id)
		WHERE event.organization_id IS NOT NULL AND (piece.unit = 'half_hour' OR piece.key_id IS NOT NULL)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
		ON CONFLICT (organization_id, unit, starts_at, key_id, integration_id, decision, reason, expires_on)
			DO UPDATE SET requests = known.requests + excluded.requests
	$sql$;
BEGIN
	IF TG_OP <> 'INSERT' THEN EXECUTE format(statement, '-', 'before'); END IF;
	IF TG_OP <> 'DELETE' THEN EXECUTE format(statement, '', 'after'); END IF;
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER count_written AFTER INSERT ON "audit_events" REFERENCING NEW TABLE AS "after"
	FOR EACH STATEMENT EXECUTE FUNCTION relaykey_count_traffic();--> statement-breakpoint
CREATE TRIGGER count_moved AFTER UPDATE ON "audit_events" REFERENCING OLD TABLE AS "before" NEW TABLE AS "after"
	FOR EACH STATEMENT EXECUTE FUNCTION relaykey_count_traffic();--> statement-breakpoint
CREATE TRIGGER count_deleted AFTER DELETE ON "audit_events" REFERENCING OLD TABLE AS "before"
	FOR EACH STATEMENT EXECUTE FUNCTION relaykey_count_traffic();--> statement-breakpoint
-- The events that are there already. None is added meanwhile: the triggers' locks are held to the end.
INSERT INTO "traffic_counts" (organization_id, unit, starts_at, key_id, integration_id, decision, reason, expires_on, requests)
SELECT event.organization_id, piece.unit, piece.starts_at, piece.key_id, event.integration_id, event.decision, event.reason,
	event.expires_on, count(*)
FROM "audit_events" AS event CROSS JOIN LATERAL (VALUES
	('half_hour', date_bin('30 minutes', event.at, 'epoch'::timestamptz), NULL::uuid),
	('hour', date_trunc('hour', event.at, 'UTC'), event.key_id),
	('day', date_trunc('day', event.at, 'UTC'), event.key_id)) AS piece (unit, starts_at, key_id)
WHERE event.organization_id IS NOT NULL AND (piece.unit = 'half_hour' OR piece.key_id IS NOT NULL)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
