import type { FC } from "hono/jsx";
import type { Fact } from "../show/facts.ts";
import { moment } from "../show/moment.ts";

export const FactList: FC<{ facts: readonly Fact[] }> = ({ facts }) => (
  <dl>
    {facts.map(({ label, value, technical, at }) => (
      <div>
        <dt>{label}</dt>
        <dd class={technical ? "mono" : undefined}>
          {at === undefined ? value : <time datetime={new Date(at).toISOString()}>{moment(at)}</time>}
        </dd>
      </div>
    ))}
  </dl>
);

export const Choice: FC<{ value: string; title: string; hint: string }> = ({ value, title, hint }) => (
  <label class="choice">
    <input type="radio" name="answer" value={value} required />
    <span>
      <span>{title}</span>
      <span class="soft">{hint}</span>
    </span>
  </label>
);
