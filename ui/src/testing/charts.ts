// Pictures of the scripted host: plain lines in the theme's colours.
import type { Chart, ChartRequest } from "../platform/types";

export function draw(request: ChartRequest, tick: number): Chart {
  const { kind, width, height, theme } = request;
  const dark = theme === "dark";
  const ink = dark ? "#a8a59d" : "#54575b";
  const line = dark ? "#31302d" : "#e6e5df";
  const colours = dark ? ["#56b4e9", "#e69f00", "#2bc4a0"] : ["#0072b2", "#d55e00", "#008060"];
  const names =
    kind === "latency"
      ? ["p50", "p95", "p99"]
      : kind === "cache"
        ? ["memory", "disk"]
        : [kind === "memory" ? "resident MB" : kind];
  const count = kind === "histogram" ? 24 : 60;
  const points = names.flatMap((series, s) =>
    Array.from({ length: count }, (_, i) => {
      const wave = Math.sin((i + tick) / 6 + s) * 0.12 + 0.3 + s * 0.2 + ((i * 31 + tick * 17) % 11) / 60;
      const y = kind === "histogram" ? Math.exp(-((i - 8) ** 2) / 20) : wave;
      return {
        series,
        x:
          kind === "histogram"
            ? `${i} to ${i + 1} ms`
            : new Date(Date.parse("2026-11-22T08:00:00Z") + (i - count) * 5000).toISOString(),
        y: kind === "cache" ? Math.min(1, y + 0.2) : y * 20,
        px: 36 + (i / (count - 1)) * (width - 48),
        py: height - 24 - Math.min(1, y) * (height - 40),
      };
    }),
  );
  const grid = [0, 0.25, 0.5, 0.75, 1]
    .map((part) => {
      const y = 16 + part * (height - 40);
      return `<line x1="36" x2="${width - 12}" y1="${y}" y2="${y}" stroke="${line}"/><text x="30" y="${y + 4}" fill="${ink}" font-size="10" font-family="sans-serif" text-anchor="end">${((1 - part) * 20).toFixed(0)}</text>`;
    })
    .join("");
  const lines = names
    .map((series, s) => {
      const own = points.filter((point) => point.series === series);
      if (kind === "histogram") {
        return own
          .map(
            (p) =>
              `<rect x="${p.px - 5}" y="${p.py}" width="10" height="${height - 24 - p.py}" fill="${colours[0]}"/>`,
          )
          .join("");
      }
      return `<polyline fill="none" stroke="${colours[s]}" stroke-width="1.6" points="${own.map((p) => `${p.px},${p.py}`).join(" ")}"/>`;
    })
    .join("");
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${grid}${lines}</svg>`,
    alternative: `${names.join(", ")} over the last ${request.minutes} minutes.`,
    points,
  };
}
