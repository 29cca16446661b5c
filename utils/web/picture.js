// The graph as SVG: made once for a view, then changed from step to step, and only where something changes.

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6.6; // width of a character in a pill
const ARROW = 10;
const SIGNS = { "*": "×", "-": "−", "/": "÷" };

function make(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function path({ points, x, y }) {
  const parts = points.map(([start, ...rest]) => `${start.join(" ")}C${rest.map((p) => p.join(" ")).join(" ")}`);
  return `M${parts.join(`L${x} ${y}L`)}`; // behind the pill through its middle: an edge of a cycle may turn there
}

/** A triangle of an arrow whose line comes from `from`: its base at `at`, or its tip there. */
function arrow(from, at, tipThere) {
  const length = Math.hypot(at[0] - from[0], at[1] - from[1]) || 1;
  const [x, y] = [(at[0] - from[0]) / length, (at[1] - from[1]) / length];
  const tip = tipThere ? at : [at[0] + ARROW * x, at[1] + ARROW * y];
  const base = [tip[0] - ARROW * x, tip[1] - ARROW * y];
  const corners = [tip, [base[0] - 4 * y, base[1] + 4 * x], [base[0] + 4 * y, base[1] - 4 * x]];
  return corners.map((corner) => corner.map((c) => c.toFixed(1)).join(",")).join(" ");
}

function cross(x, y, parent) {
  return make("path", { class: "us-cross", d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` }, parent);
}

/** Sets an attribute or text only where it changes; returns whether it did. */
function put(element, name, value) {
  element.seen ??= {};
  if (element.seen[name] === value) return false;
  element.seen[name] = value;
  if (name === "text") element.textContent = value;
  else element.setAttribute(name, value);
  return true;
}

export class Picture {
  constructor(trace, view) {
    this.trace = trace;
    this.view = view;
    const size = { viewBox: `0 0 ${view.width} ${view.height}`, role: "img", "aria-label": `Graph of ${trace.summary}` };
    this.svg = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries(size)) this.svg.setAttribute(key, value);
    this.svg.style.minWidth = `${Math.round(view.width * 0.75)}px`;
    this.svg.style.maxWidth = `${view.width}px`;
    const under = make("g", {}, this.svg);
    this.lines = new Map(); // edge -> the line that shows it; several may share one
    const shared = new Map();
    trace.edges.forEach((edge, k) => {
      if (view.edges[k] === null) return;
      const ends = `${view.home[edge.source]} ${view.home[edge.target]}`;
      const folded = Object.keys(view.names).length > 0;
      if (!folded || !shared.has(ends)) shared.set(ends, this.line(view.edges[k], view.room ? edge.local : null, under));
      this.lines.set(k, shared.get(ends));
    });
    this.all = [...new Set(this.lines.values())];
    this.cards = new Map(Object.entries(view.cards).map(([i, box]) => [Number(i), this.card(Number(i), box)]));
    this.above = make("g", {}, this.svg); // pills lie over everything
    for (const line of this.all) this.above.append(line.pill);
  }

  line(placed, local, under) {
    const group = make("g", { class: "us-edge" }, under);
    const [first, last] = [placed.points[0], placed.points.at(-1)];
    make("path", { class: "us-line", d: path(placed) }, group);
    const head = arrow(last.at(-2), last.at(-1), false);
    make("path", { class: "us-line us-tail", d: `M${last.at(-1).join(" ")}L${head.split(" ")[0]}` }, group);
    make("polygon", { class: "us-ahead", points: head }, group);
    make("polygon", { class: "us-back", points: arrow(first[1], first[0], true) }, group);
    const pill = document.createElementNS(SVG, "g");
    const box = make("rect", { rx: 9, height: 20, y: placed.y - 10 }, pill);
    const text = make("text", { x: placed.x, y: placed.y + 4, "text-anchor": "middle" }, pill);
    const mark = cross(0, placed.y - 10, pill); // on the corner: beside the pill there may be a card
    return { group, pill, box, text, mark, local, x: placed.x };
  }

  card(i, [x, y, width, height]) {
    const node = this.trace.nodes[i];
    const name = this.view.names[i] ?? node.name;
    const group = make("g", { class: "us-card", transform: `translate(${x} ${y})` }, this.svg);
    make("title", {}, group, node.says ? `${name} = ${node.says}` : name);
    const box = make("rect", { class: "us-box", width, height, rx: node.op ? 8 : 0 }, group);
    let start = 9;
    if (node.op) {
      const op = node.op.length > 12 ? `${node.op.slice(0, 11)}…` : SIGNS[node.op] ?? node.op;
      const room = Math.max(20, 10 + 7 * op.length);
      make("rect", { class: "us-op", x: 6, y: 5, width: room, height: 17, rx: 5 }, group);
      make("text", { class: "us-op-text", x: 6 + room / 2, y: 18, "text-anchor": "middle" }, group, op);
      start = 12 + room;
    }
    make("text", { class: "us-name", x: start, y: 18 }, group, name);
    make("text", { class: "us-word", x: 9, y: 35 }, group, "data");
    make("text", { class: "us-word", x: 9, y: 51 }, group, "grad");
    const data = make("text", { class: "us-data", x: width - 9, y: 35, "text-anchor": "end" }, group);
    const grad = make("text", { class: "us-grad", x: width - 9, y: 51, "text-anchor": "end" }, group);
    const measured = make("text", { class: "us-measured", x: width / 2, y: height + 12, "text-anchor": "middle" }, group);
    const mark = cross(width - 2, 2, group);
    return { group, box, data, grad, measured, mark, centre: [x + width / 2, y + height / 2] };
  }

  /** Show a state of `stateAt`; `guess` holds previewed numbers, `secret` hides what is being asked. */
  update(state, { guess = null, measured = false, secret = false, last = false } = {}) {
    const { step, known, grads, lines, marked } = state;
    const home = this.view.home;
    const active = step.node === null ? null : home[step.node];
    const source = step.source === undefined ? null : home[step.source];
    for (const [i, card] of this.cards) {
      const classes = ["us-card", this.trace.nodes[i].op ? "" : "us-leaf", known[i] || guess ? "" : "us-unknown",
        i === active ? "us-active" : "", i === source ? "us-source" : "", guess ? "us-guess" : "",
        marked.has(i) ? "us-wrong" : ""];
      put(card.group, "class", classes.filter(Boolean).join(" "));
      put(card.data, "text", guess ? guess.data[i] : known[i] ? this.trace.nodes[i].data : "?");
      put(card.grad, "text", (guess ? guess.grads[i] : grads[i]) ?? "none");
      const found = measured ? this.trace.measured[i] : undefined;
      put(card.measured, "text", found ? `measured ${found.text}${last ? (found.agrees ? " =" : " ≠") : ""}` : "");
    }
    const looks = new Map(this.all.map((line) => [line, { name: "us-edge", pill: "us-pill" }]));
    for (const [k, line] of this.lines) {
      const look = looks.get(line);
      const edge = this.trace.edges[k];
      if (lines.get(k) === "wrong") look.name = "us-edge us-fault";
      else if (lines.get(k) && look.name === "us-edge") look.name = "us-edge us-sent";
      if (line.local !== null && known[edge.target] && !secret && !guess) look.text = line.local;
    }
    for (const k of step.edges ?? []) {
      const look = looks.get(this.lines.get(k));
      if (!look) continue;
      const back = step.kind !== "forward";
      look.name = back ? `us-edge us-send${step.minus ? " us-minus" : ""}${step.wrong ? " us-fault" : ""}` : "us-edge us-feed";
      if (back) look.text = this.view.wide ? step.pill : step.pill.split(" = ").at(-1);
      if (back) look.pill = "us-pill us-now";
    }
    for (const [line, look] of looks) {
      put(line.group, "class", look.name);
      put(line.pill, "class", look.text === undefined ? "us-pill us-none" : look.pill
        + (look.name.includes("us-fault") ? " us-fault" : ""));
      if (look.text === undefined) continue;
      if (put(line.text, "text", look.text)) {
        const width = Math.max(28, 14 + LETTER * look.text.length);
        put(line.box, "width", width.toFixed(1));
        put(line.box, "x", (line.x - width / 2).toFixed(1));
        put(line.mark, "transform", `translate(${(line.x - width / 2).toFixed(1)} 0)`);
      }
    }
  }

  /** Where the active card lies, in the picture's own pixels; null when none is active. */
  where(state) {
    return state.step.node === null ? null : this.cards.get(this.view.home[state.step.node]).centre;
  }
}
