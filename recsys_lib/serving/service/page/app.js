// The page of the service: asks its API, draws what comes back.

import { $, ask, combo, el, ms, post, say, show } from "/page/dom.js";
import { colourOf, genreBars, madeOf, spark, stages, taste } from "/page/charts.js";
import { poster } from "/page/poster.js";

const K = 12;
const NAMES = { ranking: "ranking", features: "features", variety: "variety", recall: "all recall", stored: "stored lists", segment: "segments", cache: "cache" };
const state = { user: null, status: null, off: new Set(), ranker: null, variety: null, places: null, placesOf: null, trail: [], asked: 0 };
const path = (user) => `/api/users/${encodeURIComponent(user)}`;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// The list

async function load() {
  const mine = ++state.asked;
  const query = new URLSearchParams({ k: K });
  if (state.ranker && state.ranker !== state.status.default_ranker) query.set("ranker", state.ranker);
  if (state.variety !== null) query.set("diversity", state.variety);
  if (state.off.size) query.set("off", [...state.off].join(","));
  const began = performance.now();
  let answer;
  try {
    answer = await ask(`${path(state.user)}/recommendations?${query}`);
  } catch (error) {
    say(error.message);
    return;
  }
  if (mine !== state.asked) return; // a later question has been asked since
  state.trail.push({ ms: answer.latency_ms, cached: answer.source !== "computed" });
  drawAnswer(answer, performance.now() - began);
  live();
}

function drawAnswer(answer, trip) {
  const before = state.placesOf === state.user ? state.places : null;
  const source = { memory: "from memory", redis: "from Redis", waited: "shared with another request", computed: "made now" }[answer.source];
  show($("made"),
    el("span", { class: answer.level === answer.best_level ? "chip" : "chip low" }, `level: ${answer.level}`),
    ` ${source} in ${ms(answer.latency_ms)}, here in ${ms(trip)}`);
  const lost = Object.entries(answer.lost).map(([name, why]) => `${name}: ${why}`);
  const newcomer = answer.events_known === 0 && "light" in answer.unsuited;
  $("notice").hidden = !lost.length && !newcomer;
  $("notice").textContent = newcomer
    ? "Nothing is known of this user yet, so this is what most people like. Rate a few titles and watch the list turn into yours."
    : `Not at its best. ${lost.join(" ")}`;
  const giving = Object.keys(state.status.channels).filter((name) => answer.items.some((film) => film.points.some((each) => each.channel === name)));
  show($("key"), giving.map((name) => el("li", { "--channel": colourOf(name) }, name.replaceAll("_", " "))));
  const first = new Map([...$("films").children].map((node) => [node.dataset.id, node.getBoundingClientRect()]));
  show($("films"), answer.items.map((film, i) => drawFilm(film, i, before, answer)));
  if (before) slide(first);
  state.places = new Map(answer.items.map((film, i) => [film.item_id, i]));
  state.placesOf = state.user;
  drawEngine(answer);
}

function drawFilm(film, i, before, answer) {
  const was = before?.get(film.item_id);
  const move = !before || was === i ? null
    : was === undefined ? el("span", { class: "move fresh" }, "new")
    : el("span", { class: was > i ? "move" : "move down" }, `${was > i ? "▲" : "▼"} ${Math.abs(was - i)}`);
  const node = el("li", { class: "film" },
    poster(film, () => openFilm(film, { film, answer }), el("span", { class: "rank" }, String(i + 1)), move),
    madeOf(film.points),
    el("p", { class: "why" }, film.reason.text));
  node.dataset.id = film.item_id;
  return node;
}

// Titles that stay move to their new place, so that the eye can follow.
function slide(first) {
  if (calm.matches) return;
  for (const node of $("films").children) {
    const from = first.get(node.dataset.id);
    const to = node.getBoundingClientRect();
    if (!from) node.animate([{ opacity: 0, transform: "scale(.94)" }, { opacity: 1, transform: "none" }], { duration: 260, easing: "ease-out" });
    else if (from.left !== to.left || from.top !== to.top)
      node.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], { duration: 380, easing: "cubic-bezier(.2,.8,.2,1)" });
  }
}

async function loadRows() {
  const user = state.user;
  const rows = await ask(`${path(user)}/rows?k=14`).catch(() => []);
  if (user !== state.user) return;
  show($("rows"), rows.filter((row) => row.items.length).map((row) =>
    el("section", { class: "row", "--channel": colourOf(row.channel), "aria-label": row.channel },
      el("h3", {}, row.channel, el("small", {}, `weight ${row.weight} in the merge`)),
      el("ol", { class: "strip", tabindex: "0", "aria-label": `Titles of ${row.channel}` }, row.items.map((film) =>
        el("li", { class: "film" }, poster(film, () => openFilm(film)), el("p", { class: "why" }, film.reason.text)))))));
  if (!$("rows").children.length) show($("rows"), el("p", { class: "quiet" }, "No channel knows this user yet."));
}

// The user

async function choose(user) {
  state.user = user;
  state.places = null;
  history.replaceState(null, "", `#${encodeURIComponent(user)}`);
  $("user-input").value = user;
  await Promise.all([load(), loadWho(), loadRows()]);
}

async function loadWho() {
  const user = state.user;
  const who = await ask(path(user)).catch((error) => { say(error.message); return null; });
  if (!who || user !== state.user) return;
  $("who-title").textContent = who.known ? `User ${who.user_id}` : "A new visitor";
  const { age, gender, occupation } = who.about;
  const facts = [age && `${age} years`, { M: "man", F: "woman" }[gender] ?? gender, occupation].filter(Boolean).join(", ");
  $("who-facts").textContent = facts || (who.segment ? `likes ${who.segment}` : who.items ? "Known by what they chose alone." : "Nothing is known yet.");
  // Where the data say nothing of genres, there is nothing to draw.
  for (const id of ["genres-title", "genres", "taste-title", "taste"]) $(id).hidden = who.items > 0 && !who.genres.length;
  const counts = [["titles", who.items], ["liked", who.likes]];
  if (who.has_ratings && who.mean_rating !== null) counts.push(["mean rating", who.mean_rating.toFixed(1)]);
  show($("who-counts"), counts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));
  $("take-back").hidden = !who.new_events;
  const none = () => [el("li", { class: "quiet small" }, "Nothing yet.")];
  show($("genres"), who.genres.length ? genreBars(who.genres) : none());
  show($("taste"), taste(who.taste));
  show($("latest"), who.latest.length ? who.latest.slice(0, 14).map((film) =>
    el("li", {}, el("button", { type: "button", onclick: () => openFilm(film) },
      el("span", {}, film.title), el("span", { class: "rated", "aria-label": `${film.rating} stars` }, who.has_ratings ? "★".repeat(Math.round(film.rating)) : "")))) : none());
}

// The engine

function drawEngine(answer) {
  const reached = state.status.levels.findIndex((each) => each.name === answer.level);
  show($("ladder"), state.status.levels.map((each, i) => {
    const failed = i < reached && !(each.name in answer.unsuited);
    return el("li", { "aria-current": each.name === answer.level ? "true" : null, class: failed ? "failed" : null, title: answer.unsuited[each.name] ?? answer.lost[each.name] ?? "" },
      el("span", {}, each.name), el("span", {}, each.what));
  }));
  show($("stages"), stages(answer.stages));
  show($("spark"), spark(state.trail));
}

function drawControls() {
  const { rankers, default_ranker, channels, switches } = state.status;
  show($("ranker"), rankers.map((name) => el("option", { value: name, selected: name === default_ranker }, name.replaceAll("_", " ") + (name === default_ranker ? " (default)" : ""))));
  state.ranker = default_ranker;
  const parts = [...Object.keys(channels), ...switches];
  show($("switches"), parts.map((name) => {
    const box = el("input", { type: "checkbox", role: "switch", checked: true });
    box.addEventListener("change", () => { state.off[box.checked ? "delete" : "add"](name); load(); });
    return el("label", {}, box, el("span", {}, NAMES[name] ?? name.replaceAll("_", " ")));
  }));
}

async function live() {
  if (document.hidden) return;
  const status = await ask(`/api/status?user_id=${encodeURIComponent(state.user)}`).catch(() => null);
  if (!status) return;
  state.status = status;
  const { computed, cached } = status.latency_ms;
  const open = Object.entries(status.breakers).filter(([, value]) => value !== "closed").map(([name]) => name);
  const lines = [
    ["cache hits", `${Math.round(100 * status.hit_rate)} %`],
    ["made, median", computed ? ms(computed.p50) : "none yet"],
    ["cached, median", cached ? ms(cached.p50) : "none yet"],
    ["made, 99th", computed ? ms(computed.p99) : "none yet"],
    ["Redis", status.redis ? "up" : "down"],
    ["breakers open", open.join(", ") || "none"],
  ];
  show($("live"), lines.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  $("origin").textContent = status.origin;
}

// One film

async function openFilm(film, line) {
  const dialog = $("film");
  dialog.dataset.id = film.item_id;
  show($("film-poster"), poster(film));
  $("film-title").textContent = film.title;
  $("film-facts").textContent = [film.year, film.genres.join(", "), `${film.likes.toLocaleString()} likes`].filter(Boolean).join(" · ");
  drawStars(film);
  $("explain").hidden = !line;
  if (line) explain(line.film, line.answer);
  show($("similar"), el("p", { class: "quiet" }, "Looking…"));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const rows = await ask(`/api/items/${encodeURIComponent(film.item_id)}/similar?k=12`).catch(() => []);
  if (dialog.dataset.id !== film.item_id) return;
  show($("similar"), rows.filter((row) => row.items.length).map((row) =>
    el("section", { class: "row", "--channel": colourOf(row.by) },
      el("h3", {}, row.by),
      el("ol", { class: "strip", tabindex: "0", "aria-label": `Like it by ${row.by}` }, row.items.map((each) =>
        el("li", { class: "film" }, poster(each, () => openFilm(each))))))));
}

function drawStars(film) {
  const legend = $("stars").firstElementChild;
  show($("stars"), legend, [1, 2, 3, 4, 5].map((value) => {
    const box = el("input", { type: "radio", name: "stars", value, "aria-label": `${value} of 5 stars` });
    const label = el("label", { title: `${value} of 5` }, box, el("span", { "aria-hidden": "true" }, "★"));
    // Arrow keys move through radio buttons, so the keyboard rates with Enter or Space.
    box.addEventListener("change", () => [...$("stars").querySelectorAll("label")].forEach((node, i) => node.classList.toggle("lit", i < value)));
    box.addEventListener("click", (event) => { if (event.detail || event.pointerType) rate(film, value); });
    box.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); rate(film, value); } });
    return label;
  }));
}

function explain(film, answer) {
  const number = (value) => value.toPrecision(6).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const head = (...cells) => el("thead", {}, el("tr", {}, cells.map((text) => el("th", { scope: "col" }, text))));
  const name = (text, colour) => el("th", { scope: "row" }, el("span", { class: "dot", "--channel": colour }), text);
  const foot = (text, value) => el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, text), el("td", {}, ""), el("td", {}, number(value))));
  $("explain-why").textContent = `${film.channel.replaceAll("_", " ")}: ${film.reason.text}.`;
  const recall = film.points.reduce((sum, each) => sum + each.points, 0);
  const plain = film.terms.every((each) => film.points.some((point) => point.channel === each.name));
  $("points").hidden = !film.points.length;
  $("terms").hidden = plain && film.points.length > 0; // the points are the terms
  show($("points"), el("caption", {}, "Recall: points of the channels"), head("channel", "place", "points"),
    el("tbody", {}, film.points.map((each) => el("tr", {}, name(each.channel, colourOf(each.channel)), el("td", {}, String(each.place)), el("td", {}, number(each.points))))),
    foot(plain ? "score" : `sum, place ${film.recall_place} of recall`, recall));
  const sum = film.terms.reduce((total, each) => total + each.value, 0);
  const said = { recall: "recall, by its place", ranking: film.probability === null ? "ranking" : `ranking, chance of a like ${(100 * film.probability).toFixed(0)} %` };
  show($("terms"), el("caption", {}, `Score at level ${answer.level}`), head("term", "", "value"),
    el("tbody", {}, film.terms.map((each) => el("tr", {}, name(said[each.name] ?? each.name, colourOf(each.name)), el("td", {}, ""), el("td", {}, number(each.value))))),
    foot("score", film.score));
  const moved = film.ranked_place !== null && film.ranked_place !== state.places?.get(film.item_id) + 1 ? ` Variety moved it from place ${film.ranked_place}.` : "";
  $("explain-check").textContent = `The terms add up to the score${sum === film.score ? " exactly" : ` up to ${Math.abs(sum - film.score).toExponential(0)}`}.${moved}`;
}

async function rate(film, rating) {
  await tell(() => post(`${path(state.user)}/ratings`, { item_id: film.item_id, rating }), `${film.title}: ${"★".repeat(rating)}. The list has been made anew.`);
}

async function tell(send, done) {
  try {
    await send();
  } catch (error) {
    say(error.message);
    return;
  }
  $("film").close();
  await Promise.all([load(), loadWho()]);
  say(done);
  loadRows();
}

// Beginning

$("ranker").addEventListener("change", (event) => { state.ranker = event.target.value; load(); });
$("variety").addEventListener("input", (event) => { state.variety = Number(event.target.value); $("variety-value").textContent = state.variety.toFixed(1); });
$("variety").addEventListener("change", load);
$("close").addEventListener("click", () => $("film").close());
$("film").addEventListener("click", (event) => { if (event.target === $("film")) $("film").close(); });
$("dismiss").addEventListener("click", () => {
  const id = $("film").dataset.id;
  const title = $("film-title").textContent;
  tell(() => post(`${path(state.user)}/dismissals`, { item_id: id }), `${title} will not come again.`);
});
$("take-back").addEventListener("click", () => tell(() => ask(`${path(state.user)}/events`, { method: "DELETE" }), "Your ratings are taken back."));
$("newcomer").addEventListener("click", () => choose(`guest-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`));
$("surprise").addEventListener("click", async () => {
  const users = await ask("/api/users?k=50").catch(() => []);
  const others = users.filter((each) => each.user_id !== state.user);
  if (others.length) choose(others[Math.floor(Math.random() * others.length)].user_id);
});
combo($("user-input"), $("user-options"), (text) => ask(`/api/users?q=${encodeURIComponent(text === state.user ? "" : text)}&k=12`),
  (each) => [el("span", {}, each.user_id), el("span", { class: "quiet" }, `${each.items} titles`)],
  (each, text) => choose(each ? each.user_id : text));
combo($("film-input"), $("film-options"), (text) => (text ? ask(`/api/search?q=${encodeURIComponent(text)}&k=10`) : Promise.resolve([])),
  (each) => [el("span", {}, each.title), el("span", { class: "quiet" }, String(each.year ?? ""))],
  (each) => { if (each) openFilm(each); });
addEventListener("hashchange", () => { const user = decodeURIComponent(location.hash.slice(1)); if (user && !$(user) && user !== state.user) choose(user); });

state.status = await ask("/api/status");
document.title = `recsys: ${state.status.dataset}`;
drawControls();
const given = decodeURIComponent(location.hash.slice(1));
const first = given && !$(given) ? given : (await ask("/api/users?k=1"))[0].user_id;
await choose(first);
document.documentElement.dataset.ready = "true";
setInterval(live, 3000);
