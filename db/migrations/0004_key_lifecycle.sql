ALTER TABLE "device_logins" ADD COLUMN "token_seconds" integer;--> statement-breakpoint
ALTER TABLE "device_logins" ADD COLUMN "role" text;--> statement-breakpoint
ALTER TABLE "integration_secrets" ADD COLUMN "restorable_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "integrations" ADD COLUMN "catalogue" text;--> statement-breakpoint
UPDATE "integrations" SET "catalogue" = "slug" WHERE "slug" IN ('openai', 'anthropic', 'stripe', 'resend', 'cloudflare', 'github', 'google', 'elevenlabs', 'slack', 'twilio', 'sendgrid', 'grafana');
