"""Answer cells of topic 02: the drills R1 to R4 of the maths notebook, and 2.5 and 2.6. Each box is a promise."""

from __future__ import annotations

from utils.black_boxes import LETTERS
from utils.drills import planted_bug, problem
from utils.judge import killing, promise


@promise(exercise="R1", each=("df_dx", "dg_db", "change"))
def test_derivatives_as_numbers(answers, box):
    """Each box of R1 holds the right derivative, or the change that follows from one."""
    answers.box(problem("R1", topic="02"), box)


@promise(exercise="R2", each=("du_dx", "df_du", "df_dx"))
def test_chain_drill(answers, box):
    """Each box of R2 holds the right number: two local derivatives, and their product along the chain."""
    answers.box(problem("R2", topic="02"), box)


@promise(exercise="R3", each=("via_u", "via_v", "df_dx"))
def test_two_paths_drill(answers, box):
    """Each box of R3 holds the right number: what each path contributes, and their sum."""
    answers.box(problem("R3", topic="02"), box)


@promise(exercise="R4", each=("central", "error", "kink"))
def test_finite_difference_drill(answers, box):
    """Each box of R4 holds what a central difference gives, and by how much it is off."""
    answers.box(problem("R4", topic="02"), box)


@promise(exercise="2.5", each=("op", "grad"))
def test_planted_bug_is_found(answers, box):
    """Each box of 2.5 is right: the method with the wrong backward, and the gradient that it should have given."""
    answers.box(planted_bug(), box)


@promise(exercise="2.6", each=tuple(LETTERS))
def test_flaw_is_named(answers, box):
    """The flaw of a broken engine has its right name."""
    killing.named(answers, box)


@promise(exercise="2.6", each=tuple(LETTERS))
def test_flaw_is_shown(answers, box):
    """A test kills the broken engine, and rejects no right one."""
    killing.shown_by(answers, box)
