// Draws openapi.json. The usual viewers load their scripts from other servers; this page does not.

import { $, ask, el, show } from "/page/dom.js";

const api = await ask("/openapi.json");
const typeOf = (schema) => (schema?.anyOf ?? [schema]).map((each) => each?.type ?? each?.$ref?.split("/").pop()).filter((each) => each && each !== "null").join(" or ");

function fieldsOf(operation) {
  const given = (operation.parameters ?? []).map((each) => [each.name, each.in, typeOf(each.schema), each.description ?? each.schema?.description ?? ""]);
  const body = operation.requestBody?.content?.["application/json"]?.schema?.$ref?.split("/").pop();
  const fields = Object.entries(api.components?.schemas?.[body]?.properties ?? {}).map(([name, schema]) => [name, "body", typeOf(schema), schema.description ?? ""]);
  return [...given, ...fields];
}

const operations = Object.entries(api.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })));
show($("operations"), operations.map(({ path, verb, operation }) => {
  const row = (cells) => el("tr", {}, el("th", { scope: "row" }, cells[0]), cells.slice(1).map((text) => el("td", {}, text)));
  const codes = Object.entries(operation.responses).map(([code, each]) => [code, each.description]);
  return el("article", {},
    el("h2", {}, el("code", {}, el("b", {}, verb.toUpperCase()), ` ${path}`)),
    el("p", {}, operation.description ?? operation.summary),
    el("table", {}, el("tbody", {}, fieldsOf(operation).map(row))),
    el("details", {}, el("summary", {}, "Statuses"), el("table", {}, el("tbody", {}, codes.map(row)))));
}));
