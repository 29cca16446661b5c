"""The catalogue of topic 03: what a wrong training function computes, and what a repair loses with the fault.

A promise names these itself: it knows the number that each of them gives.
"""

from __future__ import annotations

from functools import lru_cache

from utils.judge.misconceptions import Misconception

SEEN = "public questions about PyTorch"
TOLD = {
    "gradient-not-cleared": ("2.1", "The gradients of earlier steps are still in `.grad` and are used again: clear "
                             "them once a step."),
    "loss-summed": ("2.1", "The loss is a sum over the examples. The mean divides by their number, once."),
    "ascends": ("2.1", "The step goes up the gradient. Take it away from the parameter."),
    "factor-two-missing": ("1.4", "The 2 of the square is missing: the slope of a square is twice what is squared."),
    "mean-divided-twice": ("1.4", "The number of examples is divided by twice."),
    "offset-not-moved": ("2.1", "`b` stays where it was. Both parameters take the step."),
    "mean-of-means": ("2.2", "Each batch was averaged by itself, so an example in a small batch counts more. Divide "
                      "each batch's sum by the number of all examples."),
    "batches-added": ("2.2", "Each batch's own mean was added up, so the gradient is about as many times too large as "
                      "there are batches."),
    "last-batch-only": ("2.2", "Only the last batch counts: the gradients were cleared between the batches."),
    "stays-at-start": ("3.2", "`w` and `b` are still where they began: no step has moved them."),
    "purpose-lost": ("3.4", "The error is gone, and a part of what the program is for with it: read its first line "
                     "again."),
    "other-loss": ("3.3", "The program is for the mean absolute error; this repair computes another loss."),
    "clipping-lost": ("3.3", "The clipping is gone, and with it what the program is for."),
    "state-lost": ("3.4", "The state no longer carries over from step to step. Its number should, not its history."),
    "past-kept": ("3.4", "The gradient still goes through the whole past: the state's history carries over, and its "
                  "number alone should."),
    "mode-changed": ("3.5", "The model is left in another mode than it was found in."),
    "first-derivative": ("4.1", "That is the first derivative. Differentiate what `create_graph=True` recorded."),
}


@lru_cache
def catalogue() -> dict[str, Misconception]:
    """Every entry by its id."""
    return {id: Misconception(id, says, (), exercise, SEEN, id) for id, (exercise, says) in TOLD.items()}
