// A page without a browser, and small traces as Python writes them.

import { JSDOM } from "jsdom";

const dom = new JSDOM("<!DOCTYPE html><body></body>", { pretendToBeVisual: true });
globalThis.document = dom.window.document;
globalThis.window = dom.window;

export const { document } = dom.window;

/** A node: `op` is "" for an input. */
function node(name, op, data, parents, rule = op) {
  return { name, op, says: parents.length ? `${op} of ${parents.length}` : "", data: data.toFixed(1), number: data, rule,
    constant: null, parents, before: "0.0" };
}

/** z = (x + y) * x at x = 2, y = 3, as utils/step_data.py gives it; `wrong` marks the second contribution to x. */
export function river(wrong) {
  const add = (to, from, edge, grad, pill, ask) => ({ kind: "add", node: to, source: from, edges: [edge], grad, pill,
    minus: false, text: `${pill} to ${to}`, ask });
  const curve = { points: [[[0, 0], [1, 0], [2, 0], [3, 0]]], x: 1, y: 0 };
  const steps = [
    { kind: "start", node: null, text: "The inputs are given: x = 2.0, y = 3.0." },
    { kind: "forward", node: 2, edges: [0, 1], text: "a = x + y" },
    { kind: "forward", node: 3, edges: [2, 3], text: "z = a × x" },
    { kind: "seed", node: 3, grad: "1.0", text: "Seed: z.grad = 1.0." },
    add(0, 3, 3, "5.0", "5.0 × 1.0 = 5.0", { question: "x.grad?", answer: 5, shown: "5.0", theirs: "5.0" }),
    add(2, 3, 2, "2.0", "2.0 × 1.0 = 2.0", { question: "a.grad?", answer: 2, shown: "2.0", theirs: "2.0" }),
    add(0, 2, 0, "7.0", "1.0 × 2.0 = 2.0", { question: "x.grad again?", answer: 7, shown: "7.0", theirs: "2.0" }),
    add(1, 2, 1, "2.0", "1.0 × 2.0 = 2.0", null),
    { kind: "end", node: null, text: "The pass is over." },
  ];
  if (wrong) steps[6].wrong = wrong;
  return {
    nodes: [node("x", "", 2, []), node("y", "", 3, []), node("a", "+", 5, [0, 1]), node("z", "*", 10, [2, 0])],
    root: 3, summary: "4 values and 4 edges, ending in z", notes: [], folded: false,
    edges: [{ source: 0, target: 2, local: "1.0" }, { source: 1, target: 2, local: "1.0" },
      { source: 2, target: 3, local: "2.0" }, { source: 0, target: 3, local: "5.0" }],
    steps,
    views: [{ width: 300, height: 100, room: true, wide: true, names: {}, home: [0, 1, 2, 3],
      edges: [curve, curve, curve, curve], cards: { 0: [0, 0, 96, 58], 1: [0, 60, 96, 58], 2: [100, 0, 96, 58], 3: [200, 0, 96, 58] } }],
    leaves: [{ node: 0, place: 0, name: "x", number: 2, low: -5, high: 5, step: 0.05 }], start: [2, 3],
    measured: { 0: { text: "7.0", agrees: true }, 1: { text: "2.5", agrees: false } },
  };
}

/** A model as anywidget gives it, with what was sent to Python kept in `sent`. */
export function model(trace, more = {}) {
  const data = { trace, at: 0, predict: false, answers: [], live: true, ...more };
  const listeners = {};
  return {
    data, sent: [],
    get: (name) => data[name],
    set(name, value) { data[name] = value; },
    save_changes() { this.saved = (this.saved ?? 0) + 1; },
    send(message) { this.sent.push(message); },
    on(event, listener) { listeners[event] = listener; },
    off(event) { delete listeners[event]; },
    tell(event, value) { listeners[event]?.(value); },
    listeners,
  };
}

/** Timers that move only when told to: returns tick(ms). They end with the test. */
export function clock(t) {
  const kept = {};
  let [now, last] = [0, 0];
  const waiting = new Map();
  const add = (every) => (call, ms) => {
    waiting.set((last += 1), { call, at: now + ms, every: every ? ms : null });
    return last;
  };
  const fake = { setTimeout: add(false), setInterval: add(true), clearTimeout: (id) => waiting.delete(id),
    clearInterval: (id) => waiting.delete(id) };
  for (const name of Object.keys(fake)) [kept[name], globalThis[name]] = [globalThis[name], fake[name]];
  t.after(() => Object.assign(globalThis, kept));
  return (ms) => {
    for (const end = now + ms; ;) {
      const [next] = [...waiting].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) {
        now = end;
        return;
      }
      const [id, timer] = next;
      now = timer.at;
      if (timer.every === null) waiting.delete(id);
      else timer.at += timer.every;
      timer.call();
    }
  };
}
