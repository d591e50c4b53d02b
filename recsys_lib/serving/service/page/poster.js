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

const MOTIFS = [
  (r) => [0, 1, 2].map((i) => svg("circle", { cx: 60 + 18 * (i - 1) * (r(3) ? 1 : -1), cy: 62 + 9 * i, r: 34 - 6 * i, ...light(0.1 + 0.05 * i) })),
  (r) => [0, 1, 2, 3, 4].map((i) => svg("circle", { cx: 60, cy: 66, r: 12 + 13 * i, ...line(0.34 - 0.05 * i, 1.5 + r(3)) })),
  (r) => [0, 1, 2, 3, 4, 5].map((i) => svg("path", { d: `M${-30 + 28 * i} 130 L${30 + 28 * i + r(12)} -10`, ...line(0.1 + 0.04 * (i % 3), 9) })),
  (r) => [0, 1, 2].map((i) => svg("path", { d: `M0 ${86 + 13 * i} L${22 + r(18)} ${40 + 16 * i} L${52 + r(10)} ${78 + 12 * i} L${84 + r(14)} ${30 + 18 * i} L120 ${80 + 12 * i} V140 H0Z`, ...light(0.11) })),
  (r) => [...Array(25).keys()].map((i) => svg("circle", { cx: 18 + 21 * (i % 5), cy: 18 + 21 * Math.floor(i / 5), r: 2 + r(6), ...light(0.26) })),
  (r) => [0, 1, 2, 3, 4, 5, 6].map((i) => svg("rect", { x: 0, y: 8 + 16 * i, width: 120, height: 4 + r(7), ...light(0.14) })),
  (r) => [0, 1, 2, 3].map((i) => svg("path", { d: `M0 ${34 + 20 * i} Q30 ${10 + 20 * i + r(14)} 60 ${34 + 20 * i} T120 ${34 + 20 * i}`, ...line(0.3, 2.5) })),
  (r) => [svg("circle", { cx: 34 + r(52), cy: 48, r: 20, ...light(0.3) }), ...[0, 1, 2].map((i) => svg("path", { d: `M0 ${92 + 12 * i} H120`, ...line(0.28, 3 - i * 0.7) }))],
  (r) => [0, 1, 2, 3].map((i) => svg("path", { d: `M60 ${12 + 14 * i} L${104 - 8 * i} ${92 + 2 * i} H${16 + 8 * i}Z`, ...line(0.28, 1.4 + r(2)) })),
  (r) => [...Array(9).keys()].map((i) => svg("path", { d: `M60 62 L${60 + 90 * Math.cos(0.7 * i + r(10) / 10)} ${62 + 90 * Math.sin(0.7 * i + r(10) / 10)}`, ...line(0.2, 3) })),
];
const MOTIF_OF = {
  Drama: 0, Romance: 0, "Sci-Fi": 1, Mystery: 1, Action: 2, War: 2, Adventure: 3, Animation: 4, "Children's": 4, Children: 4,
  "Film-Noir": 5, Crime: 5, Musical: 6, Comedy: 6, Western: 7, Documentary: 7, Horror: 8, Thriller: 8, Fantasy: 9,
};

function motif(film) {
  const genre = film.genres[0];
  const seed = hash(film.item_id);
  let state = seed;
  const r = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor((state / 2 ** 32) * n); };
  const draw = MOTIFS[MOTIF_OF[genre] ?? seed % MOTIFS.length];
  const turn = (seed % 5) * 4 - 8;
  return svg("svg", { viewBox: "0 0 120 180", preserveAspectRatio: "xMidYMin slice", "aria-hidden": "true" },
    svg("g", { transform: `rotate(${turn} 60 62)` }, draw(r)));
}

export function poster(film, open) {
  const facts = [film.year, film.genres.slice(0, 2).join(", ")].filter(Boolean).join(" · ");
  const inside = [motif(film), el("span", { class: "words" }, el("b", {}, film.title), el("small", {}, facts))];
  const given = { class: "poster", "--hue": hueOf(film.genres[0]) };
  if (!open) return el("div", given, inside);
  return el("button", { ...given, type: "button", onclick: open, title: film.title }, inside);
}
