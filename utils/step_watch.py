"""Watch an engine's own backward pass: which rule runs when, and every change of a `grad`.

Nothing of the engine is replaced. While its `backward()` runs, each value belongs to a subclass of its class that looks
on when `grad` is set and when the local rule is called; afterwards everything is as it was.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from utils.graph_trace import ABSENT, Number, plain, read, shorten

RULES = ("_backward", "_backward_fn", "backward_fn", "_rule", "rule")     # where engines keep a value's local rule
MOST = 4_000                    # events; a pass that follows paths instead of nodes ends here
PRINTED = 120                   # characters of what the engine prints

Seen = Number | str | None      # a grad, as the trace holds it


class Event(NamedTuple):
    """kind "rule": the rule of value `node` begins, its grad is `was`; "end": it is over; "write": grad was set."""

    kind: str
    node: int
    was: Seen = None
    now: Seen = None


@dataclass
class Watched:
    """What a backward pass did, in order; the grads before and after; what went wrong on the way, in sentences."""

    events: list[Event] = field(default_factory=list)
    before: list[Seen] = field(default_factory=list)
    grads: list[Seen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    looked_on: bool = True      # False: this engine's values cannot be watched, only compared before and after


class _TooLong(BaseException):
    """Ends a backward pass that goes on and on; no `except Exception` of an engine keeps it."""


def grad_of(value: object) -> Seen:
    """`value.grad` as plain data; None where there is none."""
    grad = read(value, "grad")
    return None if grad is ABSENT else plain(grad)


def watch(root: object, values: Sequence[object], backward: Callable[[object], object] | None = None) -> Watched:
    """Run the backward pass of `root` from grads of zero, looking on at `values`; their grads are put back after it.

    backward: a function of the root that walks the graph itself; the root's grad is set to 1 before it is called.
    """
    saw = Watched()
    kept = [read(value, "grad") for value in values]
    classes = [type(value) for value in values]
    numbers = {id(value): i for i, value in enumerate(values)}
    watchers: dict[type, type] = {}
    out = io.StringIO()
    try:
        for value, grad in zip(values, kept, strict=True):
            _set(value, _zero(grad))
        saw.before = [grad_of(value) for value in values]
        last = list(saw.before)
        for value, base in zip(values, classes, strict=True):
            saw.looked_on = saw.looked_on and _become(value, base, watchers, numbers, saw.events, last)
        with redirect_stdout(out):
            if backward is not None:
                root.grad = 1.0
                backward(root)
            else:
                root.backward()
    except _TooLong:
        saw.notes.append(f"Stopped after {MOST:,} events: this pass comes to the same values again and again.")
    except KeyboardInterrupt:
        saw.notes.append("Stopped by you; shown is what happened until then.")
    except BaseException as error:      # a learner's code may raise anything, SystemExit included
        saw.notes.append(_told(error, saw.events, read(root, "backward") is ABSENT and backward is None))
    finally:
        for value, base in zip(values, classes, strict=True):
            if type(value) is not base:
                object.__setattr__(value, "__class__", base)
        saw.grads = [grad_of(value) for value in values]
        for value, grad in zip(values, kept, strict=True):
            _set(value, grad)
    if printed := " ".join(out.getvalue().split()):
        saw.notes.append(f"backward() printed: {printed[:PRINTED]}" + "…" * (len(printed) > PRINTED))
    return saw


def _told(error: BaseException, events: list[Event], no_backward: bool) -> str:
    if no_backward:
        return "This engine has no backward(): the forward steps are shown alone."
    if isinstance(error, NotImplementedError):
        return f"backward() is not written yet: {error}" if str(error) else "backward() is not written yet."
    words = shorten(str(error).splitlines()[0], 90) if str(error) else ""
    return f"backward() raised {type(error).__name__}" + (f": {words}" if words else "") + \
        ("; shown is what happened until then." if events else ".")


def _become(value: object, base: type, watchers: dict[type, type], numbers: dict[int, int],
            events: list[Event], last: list[Seen]) -> bool:
    """Make `value` an instance of its class's watcher; False where Python or the class does not allow it."""
    try:
        if base not in watchers:
            watchers[base] = _watcher(base, numbers, events, last)
        object.__setattr__(value, "__class__", watchers[base])
        return True
    except Exception:                   # a class of C, a metaclass or __init_subclass__ of the learner's own
        return False


def _watcher(base: type, numbers: dict[int, int], events: list[Event], last: list[Seen]) -> type:
    """A subclass of `base`, of the same name and layout, that notes calls of the rule and changes of `grad`.

    last: the grads as they were noted last, since `+=` changes an array before it sets the attribute.
    """
    def note(event: Event) -> None:
        if len(events) >= MOST:
            raise _TooLong
        events.append(event)

    def set_attribute(self, name, new):
        if name != "grad" or id(self) not in numbers:
            return base.__setattr__(self, name, new)
        node = numbers[id(self)]
        base.__setattr__(self, name, new)
        was, last[node] = last[node], grad_of(self)
        note(Event("write", node, was, last[node]))

    def get_attribute(self, name):
        found = base.__getattribute__(self, name)
        if name not in RULES or not callable(found) or id(self) not in numbers:
            return found

        def looked_on(*args, **kwargs):
            node = numbers[id(self)]
            last[node] = grad_of(self)
            note(Event("rule", node, last[node]))
            try:
                return found(*args, **kwargs)
            finally:
                events.append(Event("end", node))
        return looked_on

    return type(base)(base.__name__, (base,), {"__slots__": (), "__setattr__": set_attribute, "__hash__": base.__hash__,
                                               "__getattribute__": get_attribute, "__module__": base.__module__,
                                               "__qualname__": base.__qualname__})


def _zero(grad: object) -> object:
    """The grad of a value that no pass has reached: of the same kind, so that an engine finds what it expects."""
    if isinstance(grad, bool) or not (isinstance(grad, (int, float)) or hasattr(grad, "shape")):
        return grad
    with suppress(Exception):
        return type(grad)(0) if isinstance(grad, (int, float)) else grad * 0
    return grad


def _set(value: object, grad: object) -> None:
    if grad is not ABSENT:
        with suppress(Exception):       # a property without a setter: then it stays as it is
            value.grad = grad
