// What the page does beyond its form: answers without leaving the page, and files of many papers.
// Texts of papers are only ever set as text, never as markup.
"use strict";

const { words, problems } = JSON.parse(document.getElementById("words").textContent);
const byId = (id) => document.getElementById(id);
const copy = (id) => byId(id).content.firstElementChild.cloneNode(true);
const filled = (name, values = {}) =>
  words[name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
const pause = (seconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });

function percent(probability) {
  if (probability < 0.0005) return "<\u00a00.1\u00a0%";
  if (probability > 0.9995) return ">\u00a099.9\u00a0%";
  return `${(Math.floor(probability * 1000 + 0.5) / 10).toFixed(1)}\u00a0%`;
}

// --- the API

class Refused extends Error {
  constructor(status, message, retryAfter = 1) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

// Headers are Latin-1: a key that is not ASCII is none of the service's, and would be no header.
function keyHeader() {
  const key = byId("key")?.value.trim() ?? "";
  return /^[\x21-\x7e]+$/.test(key) ? { "X-API-Key": key } : {};
}

async function ask(path, body, signal) {
  const none = (error) => {
    throw signal?.aborted ? error : new Refused(0, "No answer came.");
  };
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...keyHeader() },
    body: JSON.stringify(body),
    signal,
  }).catch(none);
  // An answer may break off; a refusal need not be the service's own, as a proxy's is not.
  if (answer.ok) return answer.json().catch(none);
  const told = await answer.json().catch(() => ({}));
  const seconds = Number(answer.headers.get("Retry-After"));
  const message = told.error?.message ?? told.message ?? `status ${answer.status}`;
  throw new Refused(answer.status, message, seconds > 0 ? seconds : 1);
}

// Of a request with one paper, its number says nothing.
const ofOne = (message) => message.replace(/^papers\.0\.|(?<=')papers\.0\./, "");

// --- one paper

const SLIGHT = 0.1;
const CLEAR = 0.5;
const STRONG = 1.5;
const LISTED = 3;
const QUOTE = 160;

const signed = (value) =>
  `${value > 0 ? "+" : "−"}${(Math.floor(Math.abs(value) * 10 + 0.5) / 10).toFixed(1)}`;
const tone = (value) => (value > 0 ? "for" : "against");
const level = (value) =>
  Math.abs(value) >= STRONG ? "strongly" : Math.abs(value) >= CLEAR ? "clearly" : "slightly";

function problem(error) {
  const [heading, advice] = problems[error.status] ?? problems["400"];
  const box = copy("problem-template");
  box.querySelector(".heading").textContent = heading;
  box.querySelector(".message").textContent = ofOne(error.message);
  box.querySelector(".advice").textContent = advice.replace("{seconds}", error.retryAfter);
  return box;
}

function sentence({ decision, categories }, declared) {
  let name = decision.verdict;
  if (name !== "accept" && !declared) name += "_first";
  // Of the categories shown, only the declared one can be unknown to the model.
  else if (name === "abstain" && categories.some((one) => one.threshold === null)) {
    name += "_unknown";
  }
  const one = decision.primary;
  return filled(name, {
    declared,
    primary: one?.category,
    name: one?.name,
    share: one && percent(one.probability),
  });
}

function crossLists(decision) {
  const named = decision.cross_lists.map((one) => `${one.category} (${percent(one.probability)})`);
  return named.length ? filled("cross_lists", { list: named.join(" and ") }) : "";
}

function decisionOf(found, declared) {
  const box = copy("decision-template");
  box.className = `decision ${found.decision.verdict}`;
  box.querySelector(".verdict").textContent = words[`verdict_${found.decision.verdict}`];
  box.querySelector(".sentence").textContent = sentence(found, declared);
  const cross = crossLists(found.decision);
  box.querySelector(".cross-lists").textContent = cross;
  box.querySelector(".cross-lists").hidden = !cross;
  box.querySelector(".truncated").textContent = filled("truncated", { tokens: found.tokens });
  box.querySelector(".truncated").hidden = !found.truncated;
  return box;
}

function categoryOf(one) {
  const item = copy("category-template");
  item.classList.toggle("assigned", one.assigned);
  item.querySelector(".code").textContent = one.category;
  item.querySelector(".name").textContent = one.name;
  item.querySelector(".share").textContent = percent(one.probability);
  item.querySelector(".fill").setAttribute("width", (100 * one.probability).toFixed(2));
  const threshold = item.querySelector(".threshold");
  const note = item.querySelector(".note");
  if (one.threshold === null) {
    threshold.remove();
    note.textContent = words.unknown;
  } else {
    threshold.setAttribute("x", (100 * one.threshold - 0.25).toFixed(2));
    const name = one.assigned ? "assigned" : "below";
    note.textContent = filled(name, { threshold: percent(one.threshold) });
  }
  return item;
}

function marked(place, characters, parts) {
  let done = 0;
  const plain = (end) => {
    if (end > done) place.append(characters.slice(done, end).join(""));
    done = end;
  };
  for (const [span, value] of parts) {
    if (Math.abs(value) < SLIGHT) continue;
    plain(span.start);
    const mark = document.createElement("mark");
    mark.className = `${tone(value)} ${level(value)}`;
    const sign = document.createElement("span");
    sign.className = "sign";
    sign.textContent = signed(value);
    mark.append(characters.slice(span.start, span.end).join(""), sign);
    place.append(mark);
    done = span.end;
  }
  plain(characters.length);
}

function whyOf(paper, spans, one) {
  // Offsets count code points, JavaScript's strings UTF-16.
  const texts = { title: [...paper.title], abstract: [...paper.abstract] };
  const pairs = spans.map((span, index) => [span, one.contributions[index]]);
  const box = copy("why-template");
  box.querySelector("summary .code").textContent = one.category;
  for (const field of ["title", "abstract"]) {
    const parts = pairs.filter(([span]) => span.field === field);
    marked(box.querySelector(`.marked-${field}`), texts[field], parts);
  }
  const ranked = [...pairs].sort((a, b) => b[1] - a[1]);
  const spoken = [
    ...ranked.filter(([, value]) => value >= SLIGHT).slice(0, LISTED),
    ...ranked.reverse().filter(([, value]) => value <= -SLIGHT).slice(0, LISTED),
  ];
  if (!spoken.length) return box;
  box.querySelector(".reasons").replaceChildren(
    ...spoken.map(([span, value]) => {
      const item = copy("reason-template");
      item.className = tone(value);
      item.querySelector(".sign").textContent = signed(value);
      const how = words[level(value)];
      item.querySelector(".said").textContent = filled(tone(value), { how, category: one.category });
      const text = texts[span.field].slice(span.start, span.end).join("");
      const flat = [...text.trim().replace(/\s+/g, " ")];
      const short = flat.length > QUOTE;
      item.querySelector("q").textContent = short
        ? `${flat.slice(0, QUOTE - 1).join("").trimEnd()}…`
        : flat.join("");
      return item;
    }),
  );
  return box;
}

let latest = null;

async function classify(paper) {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  const [status, place, button] = [byId("status"), byId("answer"), byId("classify")];
  const show = (...nodes) => place.replaceChildren(...nodes);
  button.setAttribute("aria-disabled", "true");
  status.textContent = words.working;
  try {
    if (!paper.title.trim() && !paper.abstract.trim()) throw new Refused(422, words.empty);
    const [found] = (await ask("v1/classify", { papers: [paper] }, signal)).papers;
    const list = document.createElement("ol");
    list.className = "categories";
    list.append(...found.categories.map(categoryOf));
    show(decisionOf(found, paper.primary ?? ""), list, copy("legend-template"));
    byId("results-heading").textContent = "Its categories";
    const [best] = found.categories;
    const said = filled("status", { category: best.category, share: percent(best.probability) });
    status.textContent = `${said} ${words.explaining}`;
    byId("results-heading").focus();
    const categories = found.categories
      .filter((one) => one.threshold !== null)
      .map((one) => one.category);
    try {
      const { title, abstract } = paper;
      const why = await ask("v1/explain", { title, abstract, categories }, signal);
      if (why.model !== found.model) throw new Error(words.another_model);
      why.categories.forEach((one) => {
        const at = found.categories.findIndex((shown) => shown.category === one.category);
        const box = whyOf(paper, why.spans, one);
        box.open = at === 0;
        list.children[at].append(box);
      });
    } catch (error) {
      if (signal.aborted) return;
      const note = document.createElement("p");
      note.className = "small unexplained";
      note.textContent = filled("unexplained", { reason: error.message });
      place.append(note);
    }
    status.textContent = said;
  } catch (error) {
    if (signal.aborted) return;
    byId("results-heading").textContent = "The answer";
    show(problem(error instanceof Refused ? error : new Refused(500, String(error))));
    status.textContent = "";
  } finally {
    if (!signal.aborted) button.removeAttribute("aria-disabled");
  }
}

byId("form").addEventListener("submit", (event) => {
  const form = new FormData(event.target);
  // An identifier is looked up by the server, which answers with the whole page.
  if (form.get("identifier")?.trim()) return;
  event.preventDefault();
  const field = (name) => form.get(name).replace(/\r\n?/g, "\n");
  classify({
    title: field("title"),
    abstract: field("abstract"),
    primary: form.get("primary").trim() || null,
  });
});

// --- many papers

const CHUNK = 16;
const CHARACTERS = 200_000;
const LARGEST = 100 * 1024 * 1024;
const SHOWN = 500;

function lines(text) {
  return text.split("\n").flatMap((line, index) => {
    if (!line.trim()) return [];
    const place = `line ${index + 1}`;
    try {
      return [{ place, record: JSON.parse(line) }];
    } catch (error) {
      return [{ place, fault: `not JSON: ${error.message}` }];
    }
  });
}

// RFC 4180; a line may also end with a line feed or a carriage return alone.
function cells(text) {
  const rows = [];
  const next = /"([^"]*(?:""[^"]*)*)("?)|[^,\r\n]+|,|\r\n?|\n/gy;
  let [row, cell, line, start] = [[], "", 1, 1];
  const end = () => {
    row.push(cell);
    if (row.length > 1 || row[0].trim()) rows.push({ row, line: start });
    [row, cell, start] = [[], "", line];
  };
  for (const [piece, quoted, closed] of text.matchAll(next)) {
    if (quoted !== undefined) {
      if (!closed) throw new Error(`line ${start}: a quotation mark is never closed`);
      cell += quoted.replaceAll('""', '"');
      line += quoted.split(/\r\n?|\n/).length - 1;
    } else if (piece === ",") {
      row.push(cell);
      cell = "";
    } else if (/[\r\n]/.test(piece)) {
      line += 1;
      end();
    } else cell += piece;
  }
  if (cell || row.length) end();
  return rows;
}

function table(text) {
  const [head, ...rows] = cells(text);
  const names = (head?.row ?? []).map((name) => name.trim().toLowerCase());
  for (const name of ["title", "abstract"]) {
    if (!names.includes(name)) throw new Error(`the first line names no column “${name}”`);
  }
  return rows.map(({ row, line }) => {
    const place = `line ${line}`;
    if (row.length !== names.length) {
      return { place, fault: `${row.length} cells, but the first line has ${names.length}` };
    }
    return { place, record: Object.fromEntries(names.map((name, index) => [name, row[index]])) };
  });
}

function read(name, text) {
  const plain = text.replace(/^\uFEFF/, "");
  if (/\.csv$/i.test(name)) return table(plain);
  if (!plain.trimStart().startsWith("[")) return lines(plain);
  return JSON.parse(plain).map((record, index) => ({ place: `record ${index + 1}`, record }));
}

function checked({ place, record, fault }, row) {
  const entry = { row, place, id: record?.id == null ? null : String(record.id), fault };
  if (fault) return entry;
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return { ...entry, fault: "not an object" };
  }
  for (const field of ["title", "abstract"]) {
    if (typeof record[field] !== "string") {
      const what = record[field] === undefined ? "is missing" : "is not a text";
      return { ...entry, fault: `${field} ${what}` };
    }
  }
  const { title, abstract } = record;
  if (record.primary != null && typeof record.primary !== "string") {
    return { ...entry, fault: "primary is not a text" };
  }
  return { ...entry, paper: { title, abstract, primary: record.primary?.trim() || null } };
}

function chunks(entries) {
  const found = [];
  let [chunk, size] = [[], 0];
  for (const entry of entries) {
    const length = JSON.stringify(entry.paper).length;
    if (chunk.length === CHUNK || (chunk.length && size + length > CHARACTERS)) {
      found.push(chunk);
      [chunk, size] = [[], 0];
    }
    chunk.push(entry);
    size += length;
  }
  if (chunk.length) found.push(chunk);
  return found;
}

// Waits as long as a busy service asks, and says so; a chunk that is refused is sent paper by paper,
// so that one bad line costs only itself.
async function answered(chunk, signal, say) {
  const wait = async (seconds) => {
    say(`The service is busy: waiting ${seconds} s before going on.`);
    await pause(seconds, signal);
    say();
  };
  for (;;) {
    try {
      const { papers } = await ask("v1/classify", { papers: chunk.map((one) => one.paper) }, signal);
      chunk.forEach((entry, index) => {
        entry.found = papers[index];
      });
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error.status === 429 || error.status === 503) {
        if (chunk.length > 1 && error.status === 429) {
          // Beside others there may be room for a few where there is none for many.
          await wait(error.retryAfter);
          const half = Math.ceil(chunk.length / 2);
          await answered(chunk.slice(0, half), signal, say);
          await answered(chunk.slice(half), signal, say);
          return;
        }
        await wait(error.retryAfter);
      } else if (error.status === 0 || error.status === 401) throw error;
      else if (chunk.length > 1) {
        for (const entry of chunk) await answered([entry], signal, say);
        return;
      } else {
        chunk[0].fault = ofOne(error.message);
        return;
      }
    }
  }
}

const record = ({ row, id, found, fault }) =>
  found
    ? {
        row,
        id,
        categories: found.categories,
        truncated: found.truncated,
        decision: found.decision,
      }
    : { row, id, error: fault ?? "not classified" };

// A cell that begins like a formula would be one in a spreadsheet.
const cell = (value) => {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const COLUMNS = [
  "row", "id", "categories", "probabilities", "assigned", "truncated", "verdict", "primary",
  "cross_lists", "error",
];

function csvRow(entry) {
  const { row, id, categories = [], truncated = "", decision, error = "" } = record(entry);
  const names = (list) => list.map((one) => one.category).join(" ");
  return [
    row,
    id ?? "",
    names(categories),
    categories.map((one) => one.probability).join(" "),
    names(categories.filter((one) => one.assigned)),
    truncated,
    decision?.verdict ?? "",
    decision?.primary?.category ?? "",
    names(decision?.cross_lists ?? []),
    error,
  ].map(cell).join(",");
}

function offer(id, parts, type) {
  const link = byId(id);
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.hidden = false;
}

function shownRow({ place, id, paper, found }) {
  const line = document.createElement("tr");
  const [best] = found.categories;
  const texts = [
    place,
    id ? `${id} · ${paper.title}` : paper.title,
    `${best.category} ${percent(best.probability)}`,
    [words[`verdict_${found.decision.verdict}`], found.decision.primary?.category].join(" "),
  ];
  line.append(
    ...texts.map((text) => {
      const field = document.createElement("td");
      field.textContent = text;
      return field;
    }),
  );
  return line;
}

let running = null;

async function batch(file) {
  running?.abort();
  const own = (running = new AbortController());
  const { signal } = own;
  const say = (text) => {
    byId("batch-status").textContent = text;
  };
  // What is hidden loses the keyboard's focus.
  if (byId("run").contains(document.activeElement)) byId("batch-status").focus();
  for (const id of ["save-jsonl", "save-csv", "faults", "rows"]) byId(id).hidden = true;
  byId("faults").querySelector("ul").replaceChildren();
  byId("rows").querySelector("tbody").replaceChildren();
  byId("run").hidden = true;
  let entries;
  try {
    if (file.size > LARGEST) throw new Error("it is larger than 100 MB; use the command line");
    entries = read(file.name, await file.text()).map(checked);
    if (!entries.length) throw new Error("there is no paper in it");
  } catch (error) {
    if (!signal.aborted) say(`${file.name} cannot be read: ${error.message}.`);
    return;
  }
  if (signal.aborted) return;
  const good = entries.filter((entry) => entry.paper);
  const [progress, count, cancel] = [byId("progress"), byId("count"), byId("cancel")];
  let faults = 0;
  const fault = ({ place, fault: what }) => {
    faults += 1;
    byId("faults").hidden = false;
    const more = byId("more-faults");
    more.hidden = faults <= SHOWN;
    more.textContent = `and ${faults - SHOWN} more; all are in the files.`;
    if (!more.hidden) return;
    const item = document.createElement("li");
    item.textContent = `${place}: ${what}`;
    byId("faults").querySelector("ul").append(item);
  };
  entries.filter((entry) => entry.fault).forEach(fault);
  let done = 0;
  const told = () => {
    progress.max = good.length || 1;
    progress.value = good.length ? done : 1;
    count.textContent = `${done} of ${good.length}`;
  };
  told();
  byId("run").hidden = false;
  cancel.hidden = false;
  const going = `Classifying ${good.length} papers of ${file.name}…`;
  say(going);
  let ending = "";
  try {
    for (const chunk of chunks(good)) {
      await answered(chunk, signal, (text = going) => say(text));
      done += chunk.length;
      told();
      chunk.filter((entry) => entry.fault).forEach(fault);
      const rows = byId("rows").querySelector("tbody");
      const room = SHOWN - rows.children.length;
      rows.append(...chunk.filter((entry) => entry.found).slice(0, room).map(shownRow));
      byId("rows").hidden = !rows.children.length;
    }
  } catch (error) {
    if (running !== own) return;
    ending = signal.aborted ? "Stopped. " : `${(problems[error.status] ?? problems["0"])[0]}. `;
  }
  const focused = document.activeElement === cancel;
  cancel.hidden = true;
  const answers = entries.filter((entry) => entry.found).length;
  const rest = entries.length - answers;
  const more = answers > SHOWN ? ` The first ${SHOWN} are shown; all are in the files.` : "";
  say(`${ending}${answers} of ${entries.length} papers have an answer, ${rest} have none.${more}`);
  offer("save-jsonl", entries.map((entry) => `${JSON.stringify(record(entry))}\n`),
    "application/x-ndjson");
  offer("save-csv", [`${COLUMNS.join(",")}\r\n`, ...entries.map((entry) => `${csvRow(entry)}\r\n`)],
    "text/csv");
  if (focused) byId("save-jsonl").focus();
}

byId("batch").hidden = false;
byId("cancel").addEventListener("click", () => running?.abort());
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  // The same file may be chosen again.
  if (file) batch(file).finally(() => { event.target.value = ""; });
});
const drop = byId("drop");
for (const [name, over] of [["dragenter", true], ["dragover", true], ["dragleave", false]]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", over);
  });
}
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) batch(file);
});
