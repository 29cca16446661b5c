"""Whether somebody sits before the notebook that runs this."""

from IPython import get_ipython


def attended() -> bool:
    """False where a program runs the notebook (nbconvert, nbgrader, nbval): it answers no `input()`, and no widget.

    A widget's state, kept with what it shows, would make an exported page ask the network for ipywidgets' script.
    """
    return getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", True)
