"""Topic 06's files: right ones in any style pass, unfinished and wrong ones are told why, arrays cross as data."""

from __future__ import annotations

import ast
import base64
import re

import numpy as np
import pytest

from tests.layer_zoo import CLOSURES, SOURCES
from tests.layers import MODULES, REFERENCE, SKELETON, TOPIC, changed, loaded, written
from utils.build.skeleton import Block, parse, skeleton
from utils.finite_difference_checker import check_gradients
from utils.judge import array_oracle, arrays
from utils.judge.core import judge
from utils.judge.engine import sentence
from utils.judge.promises import collect
from utils.judge.session import Session
from utils.judge.worker import LARGEST_ARRAY, pack, unpack

WITHOUT_DIGITS = [e for e in MODULES if e != "4.3"]


def judged(folder, source: str, exercises=WITHOUT_DIGITS, **options):
    return judge(TOPIC, folder, file=written(folder, source), only=exercises, **options)


def broken(report) -> dict[str, str]:
    return {v.name: f"{v.status}: {v.detail or v.quantity}" for v in report.verdicts if v.status != "passed"}


# Right in any style

@pytest.mark.parametrize("style", SOURCES)
def test_style_is_accepted(style, tmp_path):
    assert broken(judged(tmp_path, SOURCES[style])) == {}


def test_closures_are_accepted(tmp_path):
    wanted = [e for e in MODULES if e not in ("3.4", "3.5")]
    assert broken(judged(tmp_path, CLOSURES, wanted)) == {}


@pytest.mark.parametrize("seed", [1, 2**40 + 7])
def test_graded_verdict_is_the_local_one(seed, tmp_path):
    assert broken(judged(tmp_path, REFERENCE, seed=seed)) == {}
    wrong = changed(("return grad_output * self.open", "return grad_output * (grad_output > 0)"))
    local, graded = judged(tmp_path, wrong), judged(tmp_path, wrong, seed=seed)
    assert set(broken(local)) == set(broken(graded))
    assert {v.misconception for v in graded.verdicts if v.status != "passed"} == {"relu-gated-by-gradient"}
    assert local.of("1.3")[1].program != graded.of("1.3")[1].program       # fresh numbers for each submission


# The learner's file

def test_skeleton_is_the_references_and_holds_no_answer():
    assert skeleton(REFERENCE) == SKELETON
    blocks = [part for part in parse(REFERENCE) if isinstance(part, Block)]
    given = {line.strip() for part in parse(REFERENCE) if isinstance(part, str) for line in [part]}
    answers = {line.strip() for block in blocks for line in block.solution} - given
    assert not {line.strip() for line in SKELETON.splitlines()} & (answers - {""})


def test_every_exercise_that_is_written_is_named():
    named = set(re.findall(r'NotImplementedError\(f?"exercise (\d\.\d): ', SKELETON))
    assert named == set(MODULES) - {"3.2", "4.3"}      # which ask for nothing new
    steps = ast.literal_eval(SKELETON.split("BACKWARD = ")[1].split("]")[0] + "]")
    assert steps == [p.box for p in collect(TOPIC) if p.function.__name__ == "test_one_step_backward"]


def test_untouched_is_not_yet_written_and_says_what(tmp_path):
    report = judged(tmp_path, SKELETON, MODULES)
    assert {v.status for v in report.verdicts} == {"not-written"}
    assert report.points() == (0, sum(TOPIC.exercise(e).points for e in MODULES))
    assert "exercise 1.1: Linear.forward" in report.verdicts[0].detail
    assert report.notes == ()


def test_one_slip_in_26_steps_costs_one_box_and_the_chain(tmp_path):
    source = changed(('return d["a"].sum(axis=0)', 'return d["a"].mean(axis=0)'))
    assert set(broken(judged(tmp_path, source, ["3.4"]))) == {"test_one_step_backward[shift]", "test_chained_steps"}


# Messages: which entry, yours, expected, code to paste

def test_message_shows_entry_both_arrays_and_code_that_runs(tmp_path):
    report = judged(tmp_path, changed(("grad_output.sum(axis=0)", "grad_output.mean(axis=0)")), ["1.2"])
    verdict = next(v for v in report.verdicts if v.status == "failed")
    assert re.fullmatch(r"layer\.grad_b\[\d\]", verdict.quantity)
    assert "All of `layer.grad_b`: yours `[" in verdict.detail
    space = {}
    code = verdict.program.replace("from layers import Linear\n", "")
    exec(REFERENCE, space)
    exec(code, space)
    assert f"{space['layer'].grad_b[int(verdict.quantity[-2])]:.10g}" == verdict.expected
    assert verdict.misconception == "db-mean"


@pytest.mark.parametrize(("change", "exercise", "sentence"), [
    (("size=(nin, nout))", "size=(nout, nin))"), "1.1", "W is an array of shape (2, 3); expected shape (3, 2)."),
    (("self.b = np.zeros(nout)", "self.b = 0.0"), "1.1", "b is a float; expected shape (2,)."),
    (("return x @ self.W + self.b", "x @ self.W + self.b"), "1.1", "Does it return its result?"),
    (("return x @ self.W + self.b", "return 'y'"), "1.1", "it is y"),
    (("return x @ self.W + self.b", "return x * np.nan @ self.W"), "1.1", "yours `[[nan"),
    (("return x @ self.W + self.b", "return np.float32(x @ self.W + self.b) * np.float32(1 + 4e-6)"), "1.1",
     "they are float32"),
    (("return x @ self.W + self.b", "return (x @ self.W + self.b).astype(object)"), "1.1", "an array of object"),
    (("return x @ self.W + self.b", "return (x @ self.W + self.b)[0]"), "1.1", "expected `[["),
    (("        self.input = x\n        return x @", "        return x @"), "1.2", "AttributeError"),
    (("        self.grad_W = self.input.T", "        self.dW = self.input.T"), "1.2", "expected `[["),
    (("return grad_output * self.open", "return None"), "1.3", "Does it return its result?"),
], ids=lambda x: x if isinstance(x, str) and "." in x[:2] else None)
def test_wrong_kind_of_answer_is_told_in_a_sentence(change, exercise, sentence, tmp_path):
    verdicts = judged(tmp_path, changed(change), [exercise]).verdicts
    details = " ".join(v.detail or "" for v in verdicts if v.status == "failed")
    assert sentence in details
    assert "Traceback" not in details


# Arrays as plain data

@pytest.mark.parametrize("values", [np.array([[1.5, -2.0]]), np.arange(6).reshape(3, 2).T, np.array([], float),
                                    np.zeros((0, 3)), np.array([True]), np.float32([1, 2]), np.array([1, 2], ">f8")])
def test_arrays_survive_the_crossing(values):
    back = unpack(pack(values))
    assert np.array_equal(back, values) and back.shape == values.shape
    assert back.flags.writeable and back.flags.c_contiguous


@pytest.mark.parametrize("report", [
    {"array": "O", "shape": [1], "bytes": base64.b64encode(b"x" * 8).decode()},
    {"array": "<f8", "shape": [2], "bytes": base64.b64encode(b"x" * 8).decode()},
    {"array": "<f8", "shape": [-1, 0], "bytes": ""}, {"array": "<f8", "bytes": "", "shape": "x"},
    {"array": "V8", "shape": [1], "bytes": "AAAAAAAAAAA="}, {"array": ["<f8"], "shape": [1], "bytes": "###"},
    {"array": "<f8"},
])
def test_what_is_no_array_does_not_cross(report):
    with pytest.raises((ValueError, TypeError, KeyError)):
        unpack(report)


def test_reports_are_arrays_or_descriptions(tmp_path):
    file = written(tmp_path, f"import numpy as np\nbig = np.zeros({LARGEST_ARRAY + 1})\nthing = np.array([None])\n"
                             "whole = np.arange(3)\nnumber = np.array(2.5)\nclass T(np.ndarray):\n    pass\n"
                             "odd = np.zeros(2).view(T)\ndef f(name):\n    return globals()[name]\n")
    with Session(file) as session:
        steps = []
        for name in ("big", "thing", "whole", "number", "odd"):
            steps += [["make", "x", "f", [name]], ["report", {"r": "x"}]]
        big, thing, whole, number, odd = session.run(steps).reports
    assert "an array of float64" in big["text"] and "an array of object" in thing["text"]
    assert arrays.as_array(whole).tolist() == [0, 1, 2] and number == 2.5
    assert odd["other"] == "T"


def test_mismatch_tells_shape_entry_and_precision():
    expected = np.array([[1.0, 2.0], [3.0, 4.0]])
    off = expected.copy()
    off[1, 0] = 3.5
    assert arrays.mismatch("y", pack(off), expected).quantity == "y[1, 0]"
    assert arrays.mismatch("y", pack(expected[None]), expected).quantity == "y.shape"
    assert arrays.mismatch("y", pack(expected[None]), expected, loose=True) is None
    assert arrays.mismatch("y", expected.tolist(), expected) is None
    assert "float32" in arrays.mismatch("y", pack((expected * (1 + 5e-6)).astype(np.float32)), expected).detail
    assert arrays.mismatch("y", None, expected).yours == "None"
    assert arrays.mismatch("y", pack(expected * np.nan), expected).yours == "nan"


@pytest.mark.parametrize(("factor", "words"), [
    (np.nan, "A nan or inf comes from"), (np.inf, "grew without bound"), (-1e7, "they diverge"),
    (1 + 4e-6, "a detour through float32"), (100.0, None), (1.1, None), (0.0, None)])
def test_mismatch_tells_the_sort_of_wrong_where_the_numbers_tell(factor, words):
    signs = "nan or inf", "diverge", "float32"
    told = arrays.mismatch("w", 200.0 * factor, 200.0).detail or ""
    assert (words in told) if words else not any(sign in told for sign in signs)


def test_an_error_about_a_device_is_told_to_leave_it_out():
    error = {"kind": "raised", "type": "AssertionError", "text": "Torch not compiled with CUDA enabled", "what": None}
    assert sentence(error).endswith("enabled. Everything here runs on the processor: leave devices out.")
    assert sentence(error | {"text": "no such key"}) == "AssertionError: no such key"


def test_a_list_of_what_is_no_number_is_shown_by_its_first():
    tensors = [{"other": "Tensor", "text": f"tensor({k}.)"} for k in range(4)]
    assert arrays.mismatch("history", tensors, np.zeros(4)).yours == "a list that holds tensor(0.) (a Tensor)"


# The oracle agrees with PyTorch

@pytest.mark.parametrize("name", ["linear", "relu", "tanh", "softmax", "cross_entropy", "squared_error"])
def test_oracle_agrees_with_pytorch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    x, W, b = (rng.normal(size=shape) for shape in ((5, 4), (4, 3), (3,)))
    labels = rng.integers(0, 4, 5)
    functions = {
        "linear": ({"x": x, "W": W, "b": b}, lambda x, W, b: x @ W + b), "relu": ({"x": x}, torch.relu),
        "tanh": ({"x": x}, torch.tanh), "softmax": ({"z": x}, lambda x: torch.softmax(x, 1)),
        "cross_entropy": ({"z": x}, lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(labels))),
        "squared_error": ({"prediction": x, "target": x[::-1].copy()}, torch.nn.functional.mse_loss)}
    inputs, theirs = functions[name]
    extra = {"labels": labels} if name == "cross_entropy" else {}
    tensors = [torch.tensor(values, requires_grad=True) for values in inputs.values()]
    out = theirs(*tensors)
    upstream = rng.normal(size=out.shape)
    ours = getattr(array_oracle, name)
    assert np.allclose(ours(**inputs, **extra), out.detach().numpy(), rtol=1e-13)
    owed = array_oracle.pulled_back(lambda **a: ours(**a, **extra), inputs, upstream)
    for mine, other in zip(owed.values(), torch.autograd.grad(out, tensors, torch.tensor(upstream)), strict=True):
        assert np.allclose(mine, other.numpy(), rtol=1e-11, atol=1e-14)


def test_the_gradient_checker_agrees_and_sees_a_wrong_layer():
    right, wrong = loaded(REFERENCE), loaded(changed(("(1 - self.output**2)", "(1 - self.output)")))
    x, labels = np.random.default_rng(5).normal(size=(4, 3)), np.array([2, 0, 1, 1])
    for kind in ("ReLU", "Tanh"):
        layer = getattr(right, kind)()
        assert check_gradients(layer.forward, x, vjp=layer.backward)
    linear, loss = right.Linear(3, 2, np.random.default_rng(0)), right.SoftmaxCrossEntropy()
    assert check_gradients(linear.forward, x, vjp=linear.backward)
    loss.forward(x, labels)
    assert check_gradients(lambda z: array_oracle.cross_entropy(z, labels), x, loss.backward())
    assert not check_gradients(wrong.Tanh().forward, x, vjp=_backward_of(wrong.Tanh(), x))


def _backward_of(layer, x):
    layer.forward(x)
    return layer.backward
