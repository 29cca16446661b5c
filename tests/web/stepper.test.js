import assert from "node:assert/strict";
import test from "node:test";

import { clock, document, model, river } from "./helpers.js";

const { Stepper, replaceStatic } = await import("../../utils/web/stepper.js");

function open(trace = river(), more = {}) {
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  const held = model(trace, more);
  const stepper = new Stepper(held, place);
  const part = (name) => place.querySelector(`[data-part="${name}"]`);
  const press = (key, target = stepper.root, more_ = {}) => {
    const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more_ });
    target.dispatchEvent(event);
    return event;
  };
  const texts = (look) => [...place.querySelectorAll(look)].map((element) => element.textContent);
  return { held, stepper, part, press, texts, place };
}

test("step and back move by one, start and the slider anywhere, and never out of range", () => {
  const { held, part } = open();
  part("back").click();
  assert.equal(held.data.at, 0);
  part("step").click();
  part("step").click();
  assert.equal(held.data.at, 2);
  part("back").click();
  assert.equal(held.data.at, 1);
  part("slider").value = "8";
  part("slider").oninput();
  part("step").click();
  assert.equal(held.data.at, 8);
  part("first").click();
  assert.equal(held.data.at, 0);
});

test("cards, pills and the caption show the step", () => {
  const { stepper, texts, place } = open();
  assert.deepEqual(texts(".us-data"), ["2.0", "3.0", "?", "?"]);
  stepper.go(6);
  assert.deepEqual(texts(".us-grad"), ["7.0", "0.0", "2.0", "1.0"]);
  assert.equal(place.querySelector(".us-now text").textContent, "1.0 × 2.0 = 2.0");
  assert.equal(place.querySelector(".us-caption").textContent, "1.0 × 2.0 = 2.0 to 0");
  assert.equal(place.querySelectorAll(".us-send").length, 1);
  assert.deepEqual(texts(".us-active .us-name"), ["x"]);
  stepper.go(1);
  assert.equal(place.querySelectorAll(".us-feed").length, 2);
  assert.deepEqual(texts(".us-grad"), ["0.0", "0.0", "0.0", "0.0"]);
});

test("a wrong contribution has a sentence and a cross, which stays on its edge", () => {
  const { stepper, place } = open(river("Set, not added."));
  stepper.go(5);
  assert.ok(place.querySelector(".us-fault-text").hidden);
  stepper.go(6);
  assert.equal(place.querySelector(".us-fault-text").textContent, "Wrong here: Set, not added.");
  stepper.go(8);
  assert.equal(place.querySelectorAll(".us-pill.us-fault .us-cross").length, 1);
  assert.equal(place.querySelectorAll(".us-edge.us-fault").length, 1);
});

test("keys step, jump and stay inside; keys of fields and with modifiers are left alone", () => {
  const { held, part, press } = open();
  let leaked = 0;
  document.body.addEventListener("keydown", () => { leaked += 1; });
  press("ArrowRight");
  press("ArrowRight");
  press("ArrowLeft");
  assert.equal(held.data.at, 1);
  assert.ok(press("End").defaultPrevented);
  assert.equal(held.data.at, 8);
  press("Home");
  press("ArrowRight", part("slider"));
  press("ArrowRight", undefined, { ctrlKey: true });
  assert.ok(!press("b").defaultPrevented);
  assert.equal(held.data.at, 0);
  assert.equal(leaked, 0);
});

test("play goes on by itself, silently for screen readers, and ends at the end", (t) => {
  const tick = clock(t);
  const { held, part, place } = open();
  part("play").click();
  assert.equal(part("play").textContent, "Pause");
  assert.equal(place.querySelector(".us-caption").getAttribute("aria-live"), "off");
  tick(1100 * 3);
  assert.equal(held.data.at, 3);
  part("play").click();
  tick(5000);
  assert.equal(held.data.at, 3);
  part("play").click();
  tick(1100 * 9);
  assert.equal(held.data.at, 8);
  assert.equal(part("play").textContent, "Play");
  assert.equal(place.querySelector(".us-caption").getAttribute("aria-live"), "polite");
});

test("predict asks before it shows, keeps the answers, and says how the engine differs", () => {
  const { held, part, press, place, stepper } = open(river("wrong"), { predict: true });
  stepper.go(8);
  assert.equal(held.data.at, 3);
  assert.equal(place.querySelector(".us-question label").textContent, "x.grad?");
  assert.ok(!place.textContent.includes("5.0 × 1.0"));
  part("answer").value = "five";
  press("Enter", part("answer"));
  assert.match(place.querySelector(".us-said").textContent, /such as 0\.5/);
  part("answer").value = "5";
  press("Enter", part("answer"));
  assert.equal(held.data.at, 4);
  assert.match(place.querySelector(".us-said").textContent, /You predicted it/);
  part("step").click();
  part("tell").click();
  part("step").click();
  part("answer").value = "2";
  part("submit").click();
  assert.equal(place.querySelector(".us-said").textContent, "You said 2.0; it is 7.0. Your engine says 2.0.");
  assert.deepEqual(held.data.answers, [
    { step: 4, question: "x.grad?", given: 5, expected: 5, right: true },
    { step: 6, question: "x.grad again?", given: 2, expected: 7, right: false },
  ]);
  part("predict").click();
  stepper.go(0);
  stepper.go(8);
  assert.equal(held.data.at, 8);
});

test("a moved input is previewed at once, then the learner's code is asked and answers", (t) => {
  const tick = clock(t);
  const { held, part, texts, place } = open();
  part("input-x").value = "-1";
  part("input-x").oninput();
  assert.deepEqual(texts(".us-guess .us-data"), ["-1.0", "3.0", "2.0", "-2.0"]);
  assert.deepEqual(held.sent, []);
  tick(200);
  assert.deepEqual(held.sent, [{ numbers: [-1, 3] }]);
  const answer = river();
  answer.nodes[0].data = "-1.0";
  held.data.trace = answer;
  held.tell("change:trace");
  assert.equal(place.querySelectorAll(".us-guess").length, 0);
  assert.equal(texts(".us-data")[0], "-1.0");
  part("input-x").oninput();
  held.tell("msg:custom", { trouble: "" });
  assert.equal(place.querySelectorAll(".us-guess").length, 0);
  held.tell("msg:custom", { trouble: "Your code raised ValueError." });
  assert.equal(place.querySelector(".us-caption").textContent, "Your code raised ValueError.");
});

test("measured slopes appear on demand, and say at the end whether they agree", () => {
  const { part, stepper, texts } = open();
  const shown = () => texts(".us-measured").filter(Boolean);
  assert.deepEqual(shown(), []);
  part("measured").click();
  assert.deepEqual(shown(), ["measured 7.0", "measured 2.5"]);
  stepper.go(8);
  assert.deepEqual(shown(), ["measured 7.0 =", "measured 2.5 ≠"]);
});

test("folding shows each neuron as one card, and one line where values had several", () => {
  const trace = river();
  const [flat] = trace.views;
  trace.views.push({ ...flat, names: { 3: "neuron 1" }, home: [0, 1, 3, 3], cards: { 0: flat.cards[0], 1: flat.cards[1], 3: flat.cards[3] },
    edges: [flat.edges[0], flat.edges[1], null, flat.edges[3]], room: false,
    wide: false });
  const { part, place, stepper, texts } = open(trace);
  part("folded").click();
  assert.deepEqual(texts(".us-name"), ["x", "y", "neuron 1"]);
  assert.equal(place.querySelectorAll(".us-edge").length, 2);
  stepper.go(6);
  assert.equal(place.querySelector(".us-now text").textContent, "2.0");
});

test("a closed stepper stops and listens no more", (t) => {
  const tick = clock(t);
  const { held, part, stepper } = open();
  part("play").click();
  stepper.close();
  tick(5000);
  assert.equal(held.data.at, 0);
  assert.deepEqual(held.listeners, {});
});

test("in a page, each living stepper takes the place of the next static picture", () => {
  document.body.innerHTML = '<div class="upstream-static">one</div><div class="upstream-static">two</div>';
  const data = () => ({ trace: river(), at: 0, predict: false, answers: [], live: false });
  replaceStatic(document, data());
  assert.equal(document.body.children[1].textContent, "two");
  const second = replaceStatic(document, data());
  assert.ok(document.body.children[1].contains(second.root));
  second.root.querySelector('[data-part="input-x"]').oninput();
  assert.match(second.caption.textContent, /without a kernel/);
});
