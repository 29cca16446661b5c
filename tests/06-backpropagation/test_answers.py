"""Answer cells of topic 06: the drills R1 to R3 of the maths notebook. Each box is one promise."""

from __future__ import annotations

from utils.drills import problem
from utils.judge import promise


@promise(exercise="R1", each=("dW", "dX"))
def test_product_drill(answers, box):
    """Each box of R1 holds the right entry: of a weight's gradient, and of an input's."""
    answers.box(problem("R1", topic="06"), box)


@promise(exercise="R2", each=("bias", "column", "number"))
def test_broadcast_drill(answers, box):
    """Each box of R2 holds the sum over what was copied."""
    answers.box(problem("R2", topic="06"), box)


@promise(exercise="R3", each=("jacobian", "dz", "logit"))
def test_softmax_drill(answers, box):
    """Each box of R3 holds the right number: an entry of the Jacobian, a gradient through it, one by a logit."""
    answers.box(problem("R3", topic="06"), box)
