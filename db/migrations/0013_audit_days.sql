CREATE TABLE "audit_days" (
	"organization_id" uuid NOT NULL,
	"day" date NOT NULL,
	"expires_on" date NOT NULL,
	"events" bigint NOT NULL,
	CONSTRAINT "audit_days_organization_id_day_expires_on_pk" PRIMARY KEY("organization_id","day","expires_on")
);
--> statement-breakpoint
ALTER TABLE "traffic_counts" ADD COLUMN "last_at" timestamp with time zone;--> statement-breakpoint
-- None is added while those that are there are counted.
LOCK TABLE "audit_events" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
-- Counts events that were written, moved or deleted, in the transaction that does so. Sorted, so that of two writers one waits.
CREATE OR REPLACE FUNCTION relaykey_count_traffic() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	pieces constant text := $sql$
		INSERT INTO traffic_counts AS known
			(organization_id, unit, starts_at, key_id, integration_id, decision, reason, expires_on, requests, last_at)
		SELECT event.organization_id, piece.unit, piece.starts_at, piece.key_id, event.integration_id, event.decision, event.reason,
			event.expires_on, %1$s count(*), CASE WHEN piece.unit = 'hour' THEN max(event.at) END
		FROM %2$I AS event CROSS JOIN LATERAL (VALUES
			('half_hour', date_bin('30 minutes', event.at, 'epoch'::timestamptz), NULL::uuid),
			('four_hours', date_bin('4 hours', event.at, 'epoch'::timestamptz), NULL::uuid),
			('hour', date_trunc('hour', event.at, 'UTC'), event.key_id),
			('day', date_trunc('day', event.at, 'UTC'), event.key_id)) AS piece (unit, starts_at, key_id)
		WHERE event.organization_id IS NOT NULL AND (piece.unit IN ('half_hour', 'four_hours') OR piece.key_id IS NOT NULL)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
		ON CONFLICT (organization_id, unit, starts_at, key_id, integration_id, decision, reason, expires_on)
			DO UPDATE SET requests = known.requests + excluded.requests, last_at = greatest(known.last_at, excluded.last_at)
	$sql$;
	days constant text := $sql$
		INSERT INTO audit_days AS known (organization_id, day, expires_on, events)
		SELECT event.organization_id, (event.at AT TIME ZONE 'UTC')::date, event.expires_on, %1$s count(*) FROM %2$I AS event
		WHERE event.organization_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
		ON CONFLICT (organization_id, day, expires_on) DO UPDATE SET events = known.events + excluded.events
	$sql$;
BEGIN
	IF TG_OP <> 'INSERT' THEN
		EXECUTE format(pieces, '-', 'before');
		EXECUTE format(days, '-', 'before');
	END IF;
	IF TG_OP <> 'DELETE' THEN
		EXECUTE format(pieces, '', 'after');
		EXECUTE format(days, '', 'after');
	END IF;
	RETURN NULL;
END $$;--> statement-breakpoint
INSERT INTO "audit_days" (organization_id, day, expires_on, events)
SELECT organization_id, (at AT TIME ZONE 'UTC')::date, expires_on, count(*) FROM "audit_events"
WHERE organization_id IS NOT NULL GROUP BY 1, 2, 3;--> statement-breakpoint
INSERT INTO "traffic_counts" (organization_id, unit, starts_at, integration_id, decision, reason, expires_on, requests)
SELECT organization_id, 'four_hours', date_bin('4 hours', starts_at, 'epoch'::timestamptz), integration_id, decision, reason, expires_on,
	sum(requests)
FROM "traffic_counts" WHERE unit = 'half_hour' GROUP BY 1, 2, 3, 4, 5, 6, 7;--> statement-breakpoint
UPDATE "traffic_counts" AS known SET last_at = event.last_at FROM (
	SELECT organization_id, date_trunc('hour', at, 'UTC') AS starts_at, key_id, integration_id, decision, reason, expires_on, max(at) AS last_at
	FROM "audit_events" WHERE organization_id IS NOT NULL AND key_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7) AS event
WHERE known.unit = 'hour' AND known.organization_id = event.organization_id AND known.starts_at = event.starts_at
	AND known.key_id = event.key_id AND known.integration_id IS NOT DISTINCT FROM event.integration_id
	AND known.decision = event.decision AND known.reason IS NOT DISTINCT FROM event.reason AND known.expires_on = event.expires_on;
