import { Badge } from "../badge.tsx";

/** Whether the vendor accepts the key, as far as is known, and whether the integration is switched on. */
export function HealthBadges(props: {
  readonly enabled: boolean;
  readonly health: "unknown" | "ok" | "failing";
}) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      {!props.enabled && <Badge tone="quiet">disabled</Badge>}
      {props.health === "ok" && <Badge tone="good">key accepted</Badge>}
      {props.health === "failing" && <Badge tone="bad">vendor refuses the key</Badge>}
      {props.health === "unknown" && <Badge tone="quiet">not tested</Badge>}
    </span>
  );
}
