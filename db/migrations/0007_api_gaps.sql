ALTER TABLE "idempotency_keys" ADD COLUMN "claim" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "made_id" uuid;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "sealed" text;--> statement-breakpoint
ALTER TABLE "throttles" ADD COLUMN "slots" bigint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "throttles" ADD COLUMN "taken" integer[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "log" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "stripe_checkout_id" text;--> statement-breakpoint
ALTER TABLE "invitations" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
-- What is left of a throttle at a moment. A window is sixty slots; the slot that it begins in counts whole, so that in no
-- stretch of time as long as the window is more taken than allowed, and something is free again at most a sixtieth late.
CREATE FUNCTION relaykey_taken(throttle throttles, seconds integer, moment timestamptz, OUT slot bigint, OUT slots bigint[],
	OUT taken integer[], OUT used integer) LANGUAGE sql STABLE AS $$
	WITH clock AS (
		-- A clock that is behind takes from the newest slot there is.
		SELECT greatest(floor(extract(epoch FROM moment) * 60 / seconds)::bigint, throttle.slots[cardinality(throttle.slots)]) AS slot
	), kept AS (
		SELECT pair.slot, pair.taken FROM unnest(throttle.slots, throttle.taken) AS pair (slot, taken), clock
		WHERE pair.slot >= clock.slot - 60
	)
	SELECT clock.slot, coalesce(array_agg(kept.slot ORDER BY kept.slot) FILTER (WHERE kept.slot IS NOT NULL), '{}'),
		coalesce(array_agg(kept.taken ORDER BY kept.slot) FILTER (WHERE kept.slot IS NOT NULL), '{}'),
		coalesce(sum(kept.taken), 0)::integer
	FROM clock LEFT JOIN kept ON true GROUP BY clock.slot
$$;--> statement-breakpoint
-- Takes one from each bucket, or from none when one of them has nothing left. Buckets are locked in the order of their names,
-- so that no two calls wait for each other.
CREATE FUNCTION relaykey_take(buckets text[], allowed integer[], seconds integer[], moment timestamptz)
RETURNS TABLE (bucket text, admitted boolean, used integer, free_at_ms bigint) LANGUAGE plpgsql AS $$
DECLARE
	wanted record;
	passes boolean := true;
BEGIN
	FOR wanted IN SELECT * FROM unnest(buckets, allowed, seconds) AS w (bucket, allowed, seconds) ORDER BY w.bucket LOOP
		INSERT INTO throttles (bucket, window_start, count) VALUES (wanted.bucket, moment, 0) ON CONFLICT DO NOTHING;
		PERFORM 1 FROM throttles WHERE throttles.bucket = wanted.bucket FOR UPDATE;
		passes := passes AND (SELECT state.used < wanted.allowed
			FROM throttles, relaykey_taken(throttles, wanted.seconds, moment) AS state WHERE throttles.bucket = wanted.bucket);
	END LOOP;
	RETURN QUERY
	WITH asked AS (
		SELECT * FROM unnest(buckets, allowed, seconds) AS w (bucket, allowed, seconds)
	), state AS (
		SELECT asked.*, now_taken.slot, now_taken.slots, now_taken.taken, now_taken.used AS before
		FROM asked JOIN throttles ON throttles.bucket = asked.bucket,
			relaykey_taken(throttles, asked.seconds, moment) AS now_taken
	), next AS (
		SELECT state.*, state.before < state.allowed AS admitted, CASE
			WHEN NOT passes THEN state.slots
			WHEN state.slots[cardinality(state.slots)] = state.slot THEN state.slots
			ELSE state.slots || state.slot
		END AS new_slots, CASE
			WHEN NOT passes THEN state.taken
			WHEN state.slots[cardinality(state.slots)] = state.slot
				THEN state.taken[:cardinality(state.taken) - 1] || (state.taken[cardinality(state.taken)] + 1)
			ELSE state.taken || 1
		END AS new_taken
		FROM state
	), written AS (
		UPDATE throttles SET slots = next.new_slots, taken = next.new_taken, window_start = moment,
			count = next.before + passes::integer
		FROM next WHERE throttles.bucket = next.bucket
	)
	SELECT next.bucket, next.admitted, next.before + passes::integer, (
		-- When so much of it has left that one more fits.
		SELECT ceil((min(leaving.slot) + 61) * (next.seconds * 1000.0 / 60))::bigint
		FROM (SELECT pair.slot, sum(pair.taken) OVER (ORDER BY pair.slot) AS gone
			FROM unnest(next.new_slots, next.new_taken) AS pair (slot, taken)) AS leaving
		WHERE next.before + passes::integer - leaving.gone < next.allowed
	)
	FROM next;
END $$;
