/** How a number went, in the height of a line of text. The label says what the picture says. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const top = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 100 24"
      preserveAspectRatio="none"
      width="100"
      height="24"
      className="inline-block align-middle"
    >
      {values.map((value, index) => {
        const height = value === 0 ? 1 : Math.max(2, (value / top) * 24);
        return (
          <rect
            key={index}
            x={index * step}
            y={24 - height}
            width={step * 0.75}
            height={height}
            className={value === 0 ? "fill-line" : "fill-chart-1"}
          />
        );
      })}
    </svg>
  );
}
