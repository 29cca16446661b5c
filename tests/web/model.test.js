import assert from "node:assert/strict";
import test from "node:test";

import { isRight, parse, preview, RULES, show, stateAt } from "../../utils/web/model.js";
import { river } from "./helpers.js";

test("numbers look as they do in Python", () => {
  const pairs = [[3, "3.0"], [-0, "-0.0"], [0.1, "0.1"], [0.1 + 0.2, "0.3000"], [2 / 3, "0.6667"], [1e300, "1.000e+300"],
    [123456.5, "1.235e+05"], [NaN, "nan"], [-Infinity, "-inf"], [0.0000123, "1.230e-05"]];
  for (const [number, text] of pairs) assert.equal(show(number), text);
});

test("typed numbers: points, commas and fractions, and nothing else", () => {
  assert.deepEqual(["0.5", " .5 ", "0,5", "1/2", "-3"].map(parse), [0.5, 0.5, 0.5, 0.5, -3]);
  assert.deepEqual(["", "x", "1/0", "1/2/3", "/2", "0.5.1"].map(parse), [null, null, null, null, null, null]);
});

test("an answer is right to 1 %, or to 0.01 near zero", () => {
  assert.ok(isRight(0.82, 0.8220) && isRight(1005, 1000) && isRight(0.009, 0));
  assert.ok(!isRight(7.1, 7) && !isRight(-7, 7) && !isRight(0.02, 0));
});

test("data appears op by op, then grads one at a time, and back again", () => {
  const trace = river();
  assert.deepEqual(stateAt(trace, 0).known, [true, true, false, false]);
  assert.deepEqual(stateAt(trace, 2).known, [true, true, true, true]);
  assert.deepEqual(stateAt(trace, 3).grads, ["0.0", "0.0", "0.0", "1.0"]);
  assert.deepEqual(stateAt(trace, 5).grads, ["5.0", "0.0", "2.0", "1.0"]);
  assert.deepEqual(stateAt(trace, 7).grads, ["7.0", "2.0", "2.0", "1.0"]);
  assert.deepEqual(stateAt(trace, 4).grads, ["5.0", "0.0", "0.0", "1.0"]);
});

test("a marked contribution marks its edge and stays, others are sent", () => {
  const trace = river("Set, not added.");
  assert.deepEqual([...stateAt(trace, 5).lines], [[3, "sent"], [2, "sent"]]);
  assert.equal(stateAt(trace, 8).lines.get(0), "wrong");
  assert.equal(stateAt(trace, 8).marked.size, 0);
  trace.steps[2].wrong = "15 is not 10.";
  assert.deepEqual([...stateAt(trace, 2).marked], [3]);
});

test("a preview is what calculus says at other inputs", () => {
  assert.deepEqual(preview(river(), { 0: -1 }), { data: ["-1.0", "3.0", "2.0", "-2.0"], grads: ["1.0", "-1.0", "-1.0", "1.0"] });
  const unknown = river();
  unknown.nodes[2].rule = "magic";
  assert.equal(preview(unknown, { 0: -1 }), null);
});

test("every rule's local derivatives agree with central differences", () => {
  for (const [name, [forward, ...partials]] of Object.entries(RULES)) {
    const args = [1.3, 0.7].slice(0, partials.length);
    partials.forEach((partial, k) => {
      const at = (shift) => forward(...args.map((a, j) => (j === k ? a + shift : a)));
      const slope = (at(1e-6) - at(-1e-6)) / 2e-6;
      assert.ok(Math.abs(partial(...args, forward(...args)) - slope) < 1e-6, `${name}, input ${k}`);
    });
  }
});
