// The pictures of the page, as SVG and as plain bars.

import { el, ms, svg } from "/page/dom.js";
import { hueOf } from "/page/poster.js";

// Okabe and Ito's colours, which colour-blind readers can tell apart, as in the notebooks.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#7a7a00"];
const FIXED = { ranking: "#d55e00", features: "#cc79a7", recall: "#7f8790", explain: "#a9a69e", cache: "#009e73", stored: "#8c6bb1", segment: "#56b4e9", popular: "#009e73" };
const known = [];

export function colourOf(channel) {
  if (channel in FIXED && channel !== "popular") return FIXED[channel];
  if (!known.includes(channel)) known.push(channel);
  return COLOURS[known.indexOf(channel) % COLOURS.length];
}

export function genreBars(genres) {
  const most = Math.max(1, ...genres.map((each) => each.likes));
  return genres.slice(0, 8).map((each) =>
    el("li", { title: `${each.likes} liked of ${each.items}` },
      el("span", { class: "name" }, each.genre),
      el("span", { class: "bar", "aria-hidden": "true" }, el("i", { "width%": (100 * each.likes) / most, "--hue": hueOf(each.genre) })),
      el("span", { class: "n" }, String(each.likes))));
}

export function taste(data) {
  const n = data.shares.length;
  if (n < 2) return [el("p", { class: "quiet small" }, "Too few titles yet to see a change.")];
  const width = 300, height = 120;
  const x = (i) => (width * i) / (n - 1);
  const bands = [];
  let below = Array(n).fill(0);
  data.genres.forEach((genre, g) => {
    const above = below.map((value, i) => value + data.shares[i][g]);
    const up = above.map((value, i) => `${x(i).toFixed(1)},${(height * (1 - value)).toFixed(1)}`);
    const down = below.map((value, i) => `${x(i).toFixed(1)},${(height * (1 - value)).toFixed(1)}`).reverse();
    bands.push(svg("polygon", { class: "band", points: [...up, ...down].join(" "), "--hue": hueOf(genre) }, svg("title", {}, genre)));
    below = above;
  });
  const change = (g) => `${genreShare(data.shares[0][g])} to ${genreShare(data.shares[n - 1][g])}`;
  const told = data.genres.map((genre, g) => `${genre} from ${change(g)}`).join("; ");
  const day = (seconds) => new Date(1000 * seconds).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
  const hour = (seconds) => new Date(1000 * seconds).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  let ends = ["first titles", "latest"];
  if (data.from.length) {
    const [begin, end] = [data.from[0], data.to[n - 1]];
    ends = day(begin) === day(end) ? [`${day(begin)}, ${hour(begin)}`, hour(end)] : [day(begin), day(end)];
  }
  return [
    svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `Share of genres over time: ${told}` },
      svg("rect", { class: "rest", width, height }), bands),
    el("div", { class: "ends" }, el("span", {}, ends[0]), el("span", {}, ends[1])),
    el("ul", { class: "legend" }, data.genres.map((genre) => el("li", { "--hue": hueOf(genre) }, genre)), el("li", { class: "quiet" }, "and others")),
  ];
}

const genreShare = (value) => `${Math.round(100 * value)} %`;

export function stages(times) {
  const { recall = 0, ...others } = times;
  const within = Object.keys(others).filter((name) => !["features", "ranking", "explain", "cache"].includes(name));
  const merge = recall - within.reduce((sum, name) => sum + others[name], 0);
  const order = [...within.map((name) => [name, others[name]])];
  if (recall) order.push(["recall", Math.max(merge, 0)]);
  for (const name of ["features", "ranking", "explain", "cache"]) if (name in others) order.push([name, others[name]]);
  const names = { recall: "merge", features: "features from Redis", explain: "reasons", cache: "from the cache" };
  const total = order.reduce((sum, [, value]) => sum + value, 0) || 1;
  return [
    el("div", { class: "stack", "aria-hidden": "true" }, order.map(([name, value]) => el("i", { "width%": (100 * value) / total, "--channel": colourOf(name) }))),
    el("ul", {}, order.map(([name, value]) => el("li", { "--channel": colourOf(name) }, el("span", {}, names[name] ?? name), el("span", {}, ms(value))))),
  ];
}

export function spark(points) {
  const last = points.slice(-40);
  const top = Math.log10(Math.max(10, ...last.map((each) => each.ms)) + 1);
  return last.map((each, i) => {
    const height = Math.max(2, (40 * Math.log10(each.ms + 1)) / top);
    return svg("rect", { x: 240 - 6 * (last.length - i), y: 42 - height, width: 4, height, class: each.cached ? "cached" : null },
      svg("title", {}, `${ms(each.ms)}${each.cached ? ", from the cache" : ""}`));
  });
}

export function madeOf(points) {
  const total = points.reduce((sum, each) => sum + each.points, 0);
  if (!(total > 0)) return null;
  return el("span", { class: "made-of", "aria-hidden": "true" },
    points.map((each) => el("i", { "width%": (100 * each.points) / total, "--channel": colourOf(each.channel) })));
}
