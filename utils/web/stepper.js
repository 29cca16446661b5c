// The stepper around the picture: controls, caption, questions, inputs. `model` is anywidget's, or a plain one.

import { isRight, parse, preview, show, stateAt } from "./model.js";
import { Picture } from "./picture.js";

const PACE = 1100; // ms a step while playing
const PATIENCE = 150; // ms that a slider rests before the learner's code is asked

let made = 0;

function tag(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick" || key === "oninput" || key === "onchange") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export class Stepper {
  constructor(model, el) {
    this.model = model;
    this.id = `us-${(made += 1)}`;
    this.answered = new Set();
    this.timer = null;
    this.root = tag("section", {
      class: "upstream-stepper", "aria-label": "Stepper", tabindex: "0", "data-lm-suppress-shortcuts": "true",
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    el.append(this.root);
    this.build();
    this.listen = () => {
      this.answered.clear();
      this.trouble = "";
      this.build();
    };
    this.hear = (message) => {
      this.guess = null;
      this.trouble = message.trouble;
      this.refresh();
    };
    model.on?.("change:trace", this.listen);
    model.on?.("msg:custom", this.hear);
  }

  close() {
    this.stop();
    clearTimeout(this.asking);
    this.model.off?.("change:trace", this.listen);
    this.model.off?.("msg:custom", this.hear);
  }

  get trace() {
    return this.model.get("trace");
  }

  get at() {
    return Math.max(0, Math.min(this.model.get("at"), this.trace.steps.length - 1));
  }

  get last() {
    return this.trace.steps.length - 1;
  }

  /** Everything for a trace: called at first, and when the learner's code has answered for other inputs. */
  build() {
    const trace = this.trace;
    const kept = this.options ?? { predict: this.model.get("predict"), measured: false, folded: trace.folded };
    const focus = this.root.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const open = this.inputs?.open ?? false;
    this.options = kept;
    this.guess = null;
    this.question = null;
    this.root.replaceChildren();
    this.frame = tag("div", { class: "us-frame", tabindex: "0", role: "group", "aria-label": "Graph", "data-part": "frame" });
    this.caption = tag("p", { class: "us-caption", "aria-live": "polite" });
    this.fault = tag("p", { class: "us-fault-text", "aria-live": "polite" });
    this.form = tag("div", { class: "us-question" });
    this.root.append(this.frame, this.caption, this.fault, this.form, this.controls(), this.switches());
    if (trace.leaves.length) this.root.append(this.sliders(open));
    for (const note of trace.notes) this.root.append(tag("p", { class: "us-note" }, note));
    this.root.append(this.legend());
    this.draw();
    if (focus) this.root.querySelector(`[data-part="${focus}"]`)?.focus();
  }

  draw() {
    const view = this.trace.views[this.options.folded && this.trace.views.length > 1 ? 1 : 0];
    this.picture = new Picture(this.trace, view);
    this.frame.replaceChildren(this.picture.svg);
    this.refresh();
  }

  controls() {
    const button = (part, words, go) => tag("button", { type: "button", "data-part": part, onclick: go }, words);
    this.play = button("play", "Play", () => (this.timer ? this.stop() : this.start()));
    this.slider = tag("input", {
      type: "range", min: "0", max: String(this.last), value: "0", "aria-label": "Step", "data-part": "slider",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.count = tag("span", { class: "us-count" });
    return tag("div", { class: "us-controls" },
      button("first", "Start", () => this.go(0)), button("back", "Back", () => this.go(this.at - 1)),
      button("step", "Step", () => this.go(this.at + 1)), this.play, this.slider, this.count);
  }

  switches() {
    const box = (part, words, on, change) => {
      const input = tag("input", { type: "checkbox", "data-part": part });
      input.checked = on;
      input.onchange = () => change(input.checked);
      return tag("label", {}, input, ` ${words}`);
    };
    const row = tag("div", { class: "us-switches" });
    if (this.trace.steps.some((step) => step.ask)) {
      row.append(box("predict", "Predict", this.options.predict, (on) => {
        this.options.predict = on;
        this.refresh();
      }));
    }
    if (Object.keys(this.trace.measured).length) {
      row.append(box("measured", "Measured slopes", this.options.measured, (on) => {
        this.options.measured = on;
        this.refresh();
      }));
    }
    if (this.trace.views.length > 1) {
      row.append(box("folded", "Fold neurons", this.options.folded, (on) => {
        this.options.folded = on;
        this.draw();
      }));
    }
    return row;
  }

  sliders(open) {
    this.inputs = tag("details", { class: "us-inputs" }, tag("summary", {}, "Change the inputs"));
    this.inputs.open = open;
    for (const leaf of this.trace.leaves) {
      const value = tag("output", { "aria-live": "off" }, show(leaf.number));
      const input = tag("input", {
        type: "range", min: leaf.low, max: leaf.high, step: leaf.step, "aria-label": leaf.name,
        "data-part": `input-${leaf.name}`, "data-node": leaf.node,
      });
      input.value = leaf.number;
      input.oninput = () => {
        value.textContent = show(Number(input.value));
        this.moved();
      };
      this.inputs.append(tag("div", { class: "us-input" }, tag("span", {}, leaf.name), input, value));
    }
    return this.inputs;
  }

  /** An input has moved: show at once what calculus makes of it, then ask the learner's code. */
  moved() {
    this.stop();
    const inputs = {};
    for (const input of this.inputs.querySelectorAll("input")) inputs[input.dataset.node] = Number(input.value);
    this.guess = preview(this.trace, inputs);
    this.trouble = "";
    this.refresh();
    if (!this.model.get("live")) return;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => {
      const numbers = [...this.trace.start];
      for (const leaf of this.trace.leaves) numbers[leaf.place] = inputs[leaf.node];
      this.model.send({ numbers });
    }, PATIENCE);
  }

  legend() {
    const line = (look, words) => tag("li", {}, tag("span", { class: `us-key ${look}` }), words);
    return tag("details", { class: "us-legend" }, tag("summary", {}, "How to read it"), tag("ul", {},
      line("us-key-ahead", "solid blue: data flows forward"), line("us-key-back", "vermilion: a contribution flows back"),
      line("us-key-minus", "dashed: a negative contribution"), line("us-key-fault", "purple with a cross: not what calculus says"),
      line("us-key-leaf", "square corners: an input")),
    tag("p", {}, "On an edge: the local derivative; while it is active, local × upstream = contribution. Keys: right and "
      + "left arrow step, space plays, Home and End jump."));
  }

  /** Go to step k, unless predict mode has a question on the way. */
  go(k) {
    const to = Math.max(0, Math.min(k, this.last));
    for (let next = this.at + 1; this.options.predict && next <= to; next += 1) {
      if (this.trace.steps[next].ask && !this.answered.has(next)) {
        this.stop();
        this.move(next - 1, next);
        return;
      }
    }
    this.move(to, null);
  }

  move(k, question) {
    this.guess = null;
    this.question = question;
    this.model.set("at", k);
    this.model.save_changes?.();
    this.refresh();
    if (question !== null) this.form.querySelector("input")?.focus({ preventScroll: true });
  }

  start() {
    if (this.at === this.last) this.move(0, null);
    this.caption.setAttribute("aria-live", "off"); // a screen reader is not read every step of a play
    this.fault.setAttribute("aria-live", "off");
    this.play.textContent = "Pause";
    this.timer = setInterval(() => {
      if (!this.root.isConnected) this.stop();
      else this.go(this.at + 1);
      if (this.at === this.last) this.stop();
    }, PACE);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
    this.caption.setAttribute("aria-live", "polite");
    this.fault.setAttribute("aria-live", "polite");
  }

  refresh() {
    if (!this.options.predict) this.question = null;
    const state = stateAt(this.trace, this.at);
    const { step } = state;
    this.picture.update(state, {
      guess: this.guess, measured: this.options.measured && !this.guess, last: this.at === this.last,
      secret: this.options.predict && this.at < this.last,
    });
    const waits = this.model.get("live") ? "A preview by calculus; your code is asked." :
      "A preview by calculus: without a kernel your code cannot be asked.";
    this.caption.textContent = this.trouble || (this.guess ? waits : step.text);
    this.fault.hidden = !step.wrong || Boolean(this.guess);
    this.fault.textContent = step.wrong ? `Wrong here: ${step.wrong}` : "";
    this.slider.value = String(this.at);
    this.slider.setAttribute("aria-valuetext", `${this.at} of ${this.last}`);
    this.count.textContent = `${this.at} of ${this.last}`;
    if (this.question === null) this.form.replaceChildren();
    else if (this.form.dataset.step !== String(this.question) || !this.form.firstChild) this.ask();
    const spot = this.picture.where(state);
    if (spot) this.follow(spot);
  }

  ask() {
    const next = this.question;
    const { question, answer, shown, theirs } = this.trace.steps[next].ask;
    const said = tag("span", { class: "us-said", role: "status" });
    const input = tag("input", { type: "text", inputmode: "decimal", id: `${this.id}-answer`, "data-part": "answer",
      autocomplete: "off", size: "8" });
    const carryOn = () => {
      this.answered.add(next);
      this.move(next, null);
      this.root.querySelector('[data-part="step"]').focus({ preventScroll: true });
    };
    const submit = () => {
      const given = parse(input.value);
      if (given === null) {
        said.textContent = "Type a number, such as 0.5.";
        return;
      }
      const right = isRight(given, answer);
      this.model.set("answers", [...this.model.get("answers"), { step: next, question, given, expected: answer, right }]);
      carryOn();
      const engine = theirs === shown ? "" : ` Your engine says ${theirs}.`;
      this.form.replaceChildren(tag("span", { class: "us-said", role: "status" },
        (right ? "You predicted it." : `You said ${show(given)}; it is ${shown}.`) + engine));
      this.model.save_changes?.();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        submit();
      }
    });
    this.form.dataset.step = String(next);
    this.form.replaceChildren(tag("label", { for: input.id }, question), input,
      tag("button", { type: "button", "data-part": "submit", onclick: submit }, "Answer"),
      tag("button", { type: "button", "data-part": "tell", onclick: carryOn }, "Show it"), said);
  }

  /** Scroll the picture so that the active card is in the middle; at once while playing or with reduced motion. */
  follow([x, y]) {
    const scale = this.picture.svg.getBoundingClientRect().width / this.picture.view.width || 1;
    const still = this.timer || globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
    this.frame.scrollTo?.({
      left: x * scale - this.frame.clientWidth / 2, top: y * scale - this.frame.clientHeight / 2,
      behavior: still ? "instant" : "smooth",
    });
  }

  key(event) {
    event.stopPropagation(); // JupyterLab's one-letter commands stay outside
    if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "BUTTON", "SUMMARY"].includes(event.target.tagName)) return;
    const goes = {
      ArrowRight: () => this.go(this.at + 1), ArrowLeft: () => this.go(this.at - 1), Home: () => this.go(0),
      End: () => this.go(this.last), " ": () => (this.timer ? this.stop() : this.start()),
    }[event.key];
    if (!goes) return;
    event.preventDefault();
    goes();
  }
}

/** A model without a kernel: the page's own. */
export function plainModel(data) {
  return { get: (name) => data[name], set: (name, value) => { data[name] = value; } };
}

/** In an exported page: put a living stepper in place of the next static picture. */
export function replaceStatic(page, data) {
  const place = page.querySelector(".upstream-static:not([data-alive])");
  place.dataset.alive = "";
  place.replaceChildren();
  return new Stepper(plainModel(data), place);
}

function render({ model, el }) {
  const stepper = new Stepper(model, el);
  return () => stepper.close();
}

export default { render };
