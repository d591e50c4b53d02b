// There are no pictures of the films, so each gets a drawn one: colour from its genre, motif too.

import { el, svg } from "/page/dom.js";

const HUES = {
  Action: 25, Adventure: 65, Animation: 95, "Children's": 110, Children: 110, Comedy: 80, Crime: 350, Documentary: 200,
  Drama: 255, Fantasy: 310, "Film-Noir": 275, Horror: 15, Musical: 330, Mystery: 285, Romance: 0, "Sci-Fi": 220,
  Thriller: 165, War: 130, Western: 50,
};

function hash(text) {
  let value = 2166136261;
  for (const each of String(text)) value = Math.imul(value ^ each.codePointAt(0), 16777619);
  return value >>> 0;
}

export const hueOf = (genre) => (genre ? HUES[genre] ?? hash(genre) % 360 : 240);

const light = (opacity) => ({ fill: "#fff", "fill-opacity": opacity });
const line = (opacity, width = 2) => ({ fill: "none", stroke: "#fff", "stroke-opacity": opacity, "stroke-width": width });

// Each draws in a field of 120 x 180 of which the lower third lies under the title; r(n) draws from 0 to n - 1.
const MOTIFS = [
  (r) => { const [x, y, d] = [40 + r(40), 40 + r(30), r(2) ? 1 : -1]; return [0, 1, 2].map((i) => svg("circle", { cx: x + d * i * (14 + r(10)), cy: y + i * (6 + r(10)), r: 40 - 9 * i - r(6), ...light(0.1 + 0.05 * i) })); },
  (r) => { const [x, y, n] = [30 + r(60), 40 + r(40), 3 + r(4)]; return [...Array(n).keys()].map((i) => svg("circle", { cx: x, cy: y, r: 10 + (11 + r(4)) * i, ...line(0.36 - 0.045 * i, 1.5 + r(3)) })); },
  (r) => [0, 1, 2, 3, 4, 5].map((i) => svg("path", { d: `M${-30 + 28 * i} 130 L${30 + 28 * i + r(12)} -10`, ...line(0.1 + 0.04 * r(4), 3 + r(10)) })),
  (r) => [0, 1, 2].map((i) => svg("path", { d: `M-20 ${86 + 13 * i} L${22 + r(18)} ${30 + 16 * i + r(20)} L${52 + r(10)} ${78 + 12 * i} L${84 + r(14)} ${24 + 18 * i + r(20)} L140 ${80 + 12 * i} V150 H-20Z`, ...light(0.11) })),
  (r) => [...Array(25).keys()].map((i) => svg("circle", { cx: 14 + 23 * (i % 5), cy: 14 + 22 * Math.floor(i / 5), r: 1 + r(8), ...light(0.14 + 0.05 * r(4)) })),
  (r) => [0, 1, 2, 3, 4, 5, 6].map((i) => svg("rect", { x: -20, y: 4 + 17 * i, width: 160, height: 3 + r(9), ...light(0.13) })),
  (r) => { const a = 12 + r(22); return [0, 1, 2, 3].map((i) => svg("path", { d: `M-20 ${30 + 20 * i} Q20 ${30 + 20 * i - a} 60 ${30 + 20 * i} T140 ${30 + 20 * i}`, ...line(0.32 - 0.04 * i, 2 + r(4)) })); },
  (r) => [svg("circle", { cx: 28 + r(64), cy: 34 + r(26), r: 15 + r(12), ...light(0.3) }), ...[0, 1, 2, 3].map((i) => svg("path", { d: `M-20 ${86 + 11 * i} H140`, ...line(0.3, 3 - i * 0.6) }))],
  (r) => { const x = 40 + r(40); return [0, 1, 2, 3].map((i) => svg("path", { d: `M${x} ${8 + 15 * i} L${104 - 8 * i} ${96 + 2 * i} H${16 + 8 * i}Z`, ...line(0.3, 1.2 + r(3)) })); },
  (r) => { const [x, y, n] = [30 + r(60), 40 + r(40), 7 + r(8)]; return [...Array(n).keys()].map((i) => svg("path", { d: `M${x} ${y} L${x + 150 * Math.cos((6.28 * i) / n)} ${y + 150 * Math.sin((6.28 * i) / n)}`, ...line(0.2, 2 + r(4)) })); },
  (r) => { const x = 20 + r(30); return [0, 1, 2, 3].map((i) => svg("rect", { x: x + 9 * i, y: 16 + 9 * i, width: 44 + r(6), height: 66, rx: 3, ...line(0.3 - 0.03 * i, 2) })); },
  (r) => [0, 1, 2, 3].map((i) => svg("path", { d: `M${10 + r(20)} ${110 - 22 * i} A${46 + r(20)} ${46 + r(20)} 0 0 1 ${96 + r(14)} ${92 - 20 * i}`, ...line(0.34 - 0.05 * i, 2 + r(5)) })),
];
const MOTIFS_OF = {
  Drama: [0, 11, 10], Romance: [0, 11], "Sci-Fi": [1, 9], Mystery: [1, 10], Action: [2, 9], War: [2, 3], Adventure: [3, 7],
  Animation: [4, 6], "Children's": [4, 7], Children: [4, 7], "Film-Noir": [5, 10], Crime: [5, 2], Musical: [6, 4],
  Comedy: [6, 4, 11], Western: [7, 3], Documentary: [7, 10], Horror: [8, 5], Thriller: [8, 1], Fantasy: [9, 4],
};

function motif(film, seed) {
  let state = seed;
  const r = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor((state / 2 ** 32) * n); };
  const fitting = film.genres.slice(0, 2).flatMap((genre) => MOTIFS_OF[genre] ?? []);
  const draw = MOTIFS[fitting.length ? fitting[r(fitting.length)] : r(MOTIFS.length)];
  return svg("svg", { viewBox: "0 0 120 180", preserveAspectRatio: "xMidYMin slice", "aria-hidden": "true" },
    svg("g", { transform: `rotate(${r(25) - 12} 60 62)` }, draw(r)));
}

export function poster(film, open, ...marks) {
  const facts = [film.year, film.genres.slice(0, 2).join(", ")].filter(Boolean).join(" · ");
  const seed = hash(`${film.item_id} ${film.title}`);
  const hue = film.genres.length ? hueOf(film.genres[0]) + (seed % 25) - 12 : seed % 360;
  const inside = [motif(film, seed), ...marks, el("span", { class: "words" }, el("b", {}, film.title), el("small", {}, facts))];
  const given = { class: "poster", "--hue": hue, "--hue2": film.genres[1] ? hueOf(film.genres[1]) : hue + 35 };
  if (!open) return el("div", given, inside);
  return el("button", { ...given, type: "button", onclick: open, title: film.title }, inside);
}
