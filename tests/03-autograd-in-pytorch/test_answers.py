"""Answer cells of topic 03: the drills R1 to R3 of the maths notebook, and the ward round of exercise 3.1."""

from __future__ import annotations

from utils.drills import problem
from utils.judge import Broken, promise

CAUSES = dict(zip(range(1, 15), "jegcnipfokbmdh", strict=True))      # patient -> the letter of its cause
LETTERS = "abcdefghijklmnop"


@promise(exercise="R1", each=("error", "db", "dw"))
def test_squared_error_drill(answers, box):
    """Each box of R1 holds the right number: the error, and the two slopes of its square."""
    answers.box(problem("R1", topic="03"), box)


@promise(exercise="R2", each=("mean", "first", "naive"))
def test_average_drill(answers, box):
    """Each box of R2 holds the right number: the mean, a batch's share of it, and what a mean of means gives."""
    answers.box(problem("R2", topic="03"), box)


@promise(exercise="R3", each=("first", "second", "product"))
def test_second_derivative_drill(answers, box):
    """Each box of R3 holds the right number."""
    answers.box(problem("R3", topic="03"), box)


@promise(exercise="3.1", each=tuple(map(str, CAUSES)))
def test_cause_is_named(answers, box):
    """Each patient has the cause that is named."""
    given = answers.of("3.1")
    if not isinstance(given, dict):
        raise Broken("Expected a dict with a letter for each patient, as in {1: \"a\"}.", yours=type(given).__name__)
    letter = given.get(box, given.get(int(box)))
    if letter is None:
        raise Broken(f"No cause is named for patient {box} yet.", status="not-written")
    if not isinstance(letter, str) or letter.strip().lower() not in tuple(LETTERS):
        raise Broken(f"The cause of patient {box} should be a letter from a to p.", yours=str(letter)[:40])
    if letter.strip().lower() != CAUSES[int(box)]:
        raise Broken(f"{letter.strip().lower()} is not what patient {box} suffers from. Read what was seen, and "
                     "examine it once more.", yours=letter.strip().lower())
