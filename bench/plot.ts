import type { Row } from "./main.ts";

const colors: Readonly<Record<string, string>> = { wfctl: "#1261a0", terraform: "#7b42bc", tofu: "#c98a00" };
const width = 720;
const height = 420;
const margin = { left: 70, right: 130, top: 40, bottom: 50 };

/** Time of `apply` (create) over size, both axes logarithmic, one line per tool and shape. */
export function renderPlot(rows: readonly Row[]): string {
  const points = rows.filter((row) => row.work === "create");
  const sizes = points.map((row) => row.size);
  const times = points.map((row) => row.ms / 1000);
  const x = logScale(
    Math.min(...sizes),
    Math.max(...sizes, Math.min(...sizes) * 10),
    margin.left,
    width - margin.right,
  );
  const y = logScale(Math.min(...times), Math.max(...times), height - margin.bottom, margin.top);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${margin.left}" y="20" font-size="14">Apply: time over number of resources</text>`,
  ];
  for (const size of new Set(sizes)) {
    parts.push(
      `<line x1="${x(size)}" y1="${margin.top}" x2="${x(size)}" y2="${height - margin.bottom}" stroke="#ddd"/>`,
    );
    parts.push(`<text x="${x(size)}" y="${height - margin.bottom + 18}" text-anchor="middle">${size}</text>`);
  }
  for (const tick of [0.1, 0.3, 1, 3, 10, 30, 100]) {
    if (tick < Math.min(...times) / 2 || tick > Math.max(...times) * 2) continue;
    parts.push(
      `<line x1="${margin.left}" y1="${y(tick)}" x2="${width - margin.right}" y2="${y(tick)}" stroke="#eee"/>`,
    );
    parts.push(`<text x="${margin.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick} s</text>`);
  }
  const lines = new Set(points.map((row) => `${row.tool} ${row.shape}`));
  for (const line of lines) {
    const own = points.filter((row) => `${row.tool} ${row.shape}` === line).toSorted((a, b) => a.size - b.size);
    const color = colors[own[0]?.tool ?? ""] ?? "#444";
    parts.push(
      `<polyline fill="none" stroke="${color}" stroke-width="2" points="${own.map((row) => `${x(row.size)},${y(row.ms / 1000)}`).join(" ")}"/>`,
    );
    for (const row of own) parts.push(`<circle cx="${x(row.size)}" cy="${y(row.ms / 1000)}" r="3" fill="${color}"/>`);
    const last = own.at(-1);
    if (last !== undefined)
      parts.push(`<text x="${x(last.size) + 8}" y="${y(last.ms / 1000) + 4}" fill="${color}">${line}</text>`);
  }
  parts.push("</svg>");
  return `${parts.join("\n")}\n`;
}

function logScale(min: number, max: number, from: number, to: number): (value: number) => number {
  const low = Math.log(min);
  const span = Math.log(max) - low || 1;
  return (value) => Number((from + ((Math.log(value) - low) / span) * (to - from)).toFixed(1));
}
