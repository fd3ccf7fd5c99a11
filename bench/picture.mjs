// Lines on axes of powers of ten, as SVG.
const [WIDTH, HEIGHT, MARGIN] = [420, 300, 56];
const COLOURS = ["#2b6cb0", "#c05621", "#2f855a", "#6b46c1"];

const decades = (values) => [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];

/** From values to positions on a stretch, and where its powers of ten are. */
function scale(values, from, to) {
  let [low, high] = decades(values);
  if (low === high) high += 1;
  const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, step) => low + step) };
}

const line = (path) => `<path d="${path}" stroke="#ddd"/>`;
const power = (exponent) => `10<tspan dy="-5" font-size="8">${exponent}</tspan>`;

function panel({ x, y, lines }, left, top) {
  const points = lines.flatMap((line) => line.points);
  const across = scale(points.map(([value]) => value), left + MARGIN, left + WIDTH - 12);
  const up = scale(points.map(([, value]) => value), top + HEIGHT - MARGIN, top + 16);
  const [x0, x1, y0, y1] = [left + MARGIN, left + WIDTH - 12, top + HEIGHT - MARGIN, top + 16];
  const grid = [
    ...across.ticks.map((tick) => {
      const at = across.at(10 ** tick).toFixed(1);
      return `${line(`M${at} ${y0}V${y1}`)}<text x="${at}" y="${y0 + 18}" text-anchor="middle">${power(tick)}</text>`;
    }),
    ...up.ticks.map((tick) => {
      const at = Number(up.at(10 ** tick).toFixed(1));
      return `${line(`M${x0} ${at}H${x1}`)}<text x="${x0 - 8}" y="${at + 4}" text-anchor="end">${power(tick)}</text>`;
    }),
  ];
  const drawn = lines.map((line, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const places = line.points.map(([a, b]) => [across.at(a).toFixed(1), up.at(b).toFixed(1)]);
    const dots = places.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3" fill="${colour}"/>`);
    const name = `<text x="${x0 + 8}" y="${y1 + 14 + 15 * index}" fill="${colour}">${line.name}</text>`;
    return `<polyline points="${places.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}${name}`;
  });
  const names = [
    `<text x="${(x0 + x1) / 2}" y="${y0 + 38}" text-anchor="middle">${x}</text>`,
    `<text transform="translate(${left + 14} ${(y0 + y1) / 2}) rotate(-90)" text-anchor="middle">${y}</text>`,
  ];
  return [...grid, ...drawn, ...names].join("\n");
}

/** Panels, two in a row; each has axis names `x` and `y` and `lines` of positive points. */
export function draw(panels) {
  const rows = Math.ceil(panels.length / 2);
  const inside = panels.map((one, index) => panel(one, (index % 2) * WIDTH, Math.floor(index / 2) * HEIGHT));
  const size = `width="${2 * WIDTH}" height="${rows * HEIGHT}" viewBox="0 0 ${2 * WIDTH} ${rows * HEIGHT}"`;
  const style = 'font-family="sans-serif" font-size="12" fill="#333"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>\n<rect width="100%" height="100%" fill="#fff"/>\n${inside.join("\n")}\n</svg>\n`;
}
