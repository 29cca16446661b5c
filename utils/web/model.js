// What a stepper shows at which step, and what its inputs would give: plain computation, no page.

const SIGMOID = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));

// rule: forward, then d out / d input for each input; y is the output. The same table as utils/graph_trace.py.
export const RULES = {
  "+2": [(a, b) => a + b, () => 1, () => 1],
  "-2": [(a, b) => a - b, () => 1, () => -1],
  "*2": [(a, b) => a * b, (a, b) => b, (a) => a],
  "/2": [(a, b) => a / b, (a, b) => 1 / b, (a, b) => -a / b ** 2],
  "**2": [(a, b) => a ** b, (a, b) => b * a ** (b - 1), (a, b, y) => y * Math.log(a)],
  "-1": [(a) => -a, () => -1],
  relu1: [(a) => Math.max(0, a), (a) => (a > 0 ? 1 : 0)],
  tanh1: [Math.tanh, (a, y) => 1 - y * y],
  exp1: [Math.exp, (a, y) => y],
  log1: [Math.log, (a) => 1 / a],
  sigmoid1: [SIGMOID, (a, y) => y * (1 - y)],
  sqrt1: [Math.sqrt, (a, y) => 0.5 / y],
  sin1: [Math.sin, (a) => Math.cos(a)],
  cos1: [Math.cos, (a) => -Math.sin(a)],
};

/** A float in about four digits, as Python's side writes it: 3.0, 0.3333, 1.235e+05, nan. */
export function show(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (Number.isInteger(x) && Math.abs(x) < 1e5) return Object.is(x, -0) ? "-0.0" : `${x}.0`;
  const plain = String(x);
  if (plain.length <= 7 && !plain.includes("e")) return plain;
  const size = Math.floor(Math.log10(Math.abs(x)));
  const text = size < -4 || size >= 4 ? x.toExponential(3) : x.toPrecision(4);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** A typed number, or null: 0.5, .5, 0,5 and 1/3 are numbers. */
export function parse(text) {
  const parts = text.trim().replace(",", ".").split("/").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const number = parts.length === 1 ? parts[0] : parts.length === 2 ? parts[0] / parts[1] : NaN;
  return Number.isFinite(number) ? number : null;
}

/** Whether an answer counts as right: to 1 %, or 0.01 near zero. */
export function isRight(given, answer) {
  return Math.abs(given - answer) <= 0.01 * Math.max(1, Math.abs(answer));
}

/** The picture after step `k`: which values are computed, the grads so far, what is active, which steps are marked. */
export function stateAt(trace, k) {
  const known = trace.nodes.map((node) => node.op === "");
  const grads = trace.nodes.map((node) => node.before);
  const lines = new Map(); // edge -> "sent" or "wrong"
  const marked = new Set(); // nodes with a mark
  for (const step of trace.steps.slice(0, k + 1)) {
    if (step.kind === "forward") known[step.node] = true;
    if (step.grad !== undefined) grads[step.node] = step.grad;
    const back = step.kind === "add" || step.kind === "none";
    for (const edge of back ? step.edges ?? [] : []) {
      if (lines.get(edge) !== "wrong") lines.set(edge, step.wrong ? "wrong" : "sent");
    }
    if (step.wrong && step.node !== null && !(back && step.edges)) marked.add(step.node);
  }
  return { step: trace.steps[k], known, grads, lines, marked };
}

/** Data and grads of every value at other inputs, {node: number}, by calculus; null where an op is not known. */
export function preview(trace, inputs) {
  const data = [];
  const rules = [];
  for (const [i, node] of trace.nodes.entries()) {
    if (node.op === "") {
      data.push(inputs[i] ?? node.number);
      if (data[i] === null) return null;
      continue;
    }
    const args = node.parents.map((p) => data[p]);
    if (args.includes(undefined)) return null;
    if (node.constant !== null) args.push(node.constant);
    const rule = RULES[node.rule + args.length];
    if (!rule) return null;
    data.push(rule[0](...args));
    rules[i] = { rule, args };
  }
  const grads = data.map((_, i) => (i === trace.root ? 1 : 0));
  for (let i = data.length - 1; i >= 0; i -= 1) {
    const made = rules[i];
    trace.nodes[i].parents.forEach((p, k) => {
      grads[p] += made.rule[k + 1](...made.args, data[i]) * grads[i];
    });
  }
  return { data: data.map(show), grads: grads.map(show) };
}
