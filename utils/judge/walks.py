"""How wrong engines (utils/judge/flawed.py) walk their graph, and in which legal orders right ones do."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from utils.judge.flawed import SLOPES, Engine, Node, Stop, Unsupported

MOST_VISITS = 20_000        # a walk along every path is simulated up to so many visits,
TOO_MANY = 30_000_000       # and has no end within the worker's limits from so many on; between them nothing is known


def kids(engine: Engine, node: Node) -> Sequence[Node]:
    """The node's parents in the order in which the walk enters them."""
    parents, order = node.parents, engine.style.order
    if node.op in engine.flaw.childless:
        return ()
    if engine.style.distinct:
        parents = tuple(dict.fromkeys(parents))
    if order.startswith("any") and len(parents) > 1:
        turned = engine.turned.setdefault(node.number, bool(_choice(order) >> len(engine.turned) & 1))
    else:
        turned = order == "right"
    return parents[::-1] if turned else parents


def _choice(order: str) -> int:
    return int(order.removeprefix("any "))


def reachable(engine: Engine, root: Node) -> list[Node]:
    found, stack = {}, [root]
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack.extend(kids(engine, node))
    return list(found.values())


def after_users(engine: Engine, root: Node) -> list[Node]:
    """A legal order: every node before its parents. Every third of the "any" orders is not depth first."""
    order = engine.style.order
    strange = order.startswith("any") and _choice(order) % 3 == 2
    if engine.flaw.equal or not (order == "tape" or strange):
        return post_order(engine, root)[::-1]
    nodes = reachable(engine, root)
    if order == "tape":
        return sorted(nodes, key=lambda node: -node.number)
    draw = random.Random(order)
    waits = dict.fromkeys(map(id, nodes), 0)
    for node in nodes:
        for parent in kids(engine, node):
            waits[id(parent)] += 1
    free, ordered = [root], []
    while free:
        node = free.pop(draw.randrange(len(free)))
        ordered.append(node)
        for parent in kids(engine, node):
            waits[id(parent)] -= 1
            if not waits[id(parent)]:
                free.append(parent)
    return ordered


def post_order(engine: Engine, root: Node, twice: bool = False) -> list[Node]:
    """Parents before their users; with `twice`, a node again for every further use."""
    order, seen, marks, stack = [], set(), {}, [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
            continue
        mark = _mark(node, engine.flaw.equal, marks)
        if mark not in seen:
            seen.add(mark)
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(kids(engine, node)))
        elif twice:
            order.append(node)
    return order


def _mark(node: Node, equal: str, marks: dict):
    """What tells this node from others: its identity, its data, or its data and what it is made of."""
    if equal != "structure":
        return node.data if equal else id(node)
    if id(node) not in marks:
        key = (node.data, *(_mark(parent, equal, marks) for parent in node.parents))
        marks[id(node)] = marks.setdefault(key, len(marks))
    return marks[id(node)]


def _run(engine: Engine, order: Iterable[Node]) -> None:
    for node in order:
        engine.rule(node)


def _stack_twice(engine: Engine, root: Node) -> None:
    """An iterative post-order that tests `seen` on entering, so a node pushed by two users is appended twice."""
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack[-1]
        if id(node) in seen:
            order.append(stack.pop())
        else:
            seen.add(id(node))
            stack.extend(parent for parent in kids(engine, node) if id(parent) not in seen)
    _run(engine, reversed(order))


def _preorder(engine: Engine, root: Node) -> None:
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
            stack.extend(reversed(kids(engine, node)))
    _run(engine, order)


def _breadth_first(engine: Engine, root: Node) -> None:
    order, seen, waiting = [], {id(root)}, deque([root])
    while waiting:
        node = waiting.popleft()
        order.append(node)
        for parent in kids(engine, node):
            if id(parent) not in seen:
                seen.add(id(parent))
                waiting.append(parent)
    _run(engine, order)


def _breadth_first_late(engine: Engine, root: Node) -> None:
    """Breadth first, looking at `seen` when a node is taken out."""
    order, seen, waiting = [], set(), deque([root])
    while waiting:
        node = waiting.popleft()
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
            waiting.extend(kids(engine, node))
    _run(engine, order)


def _few_enough(engine: Engine, root: Node, each_use: bool = False) -> None:
    """Nothing, where a walk along every path can be simulated; else Stop or Unsupported.

    With `each_use` the walk follows the operands of a node, not what it keeps as its parents.
    """
    paths, total = {id(root): 1}, 0
    for node in post_order(engine, root)[::-1]:
        total += paths[id(node)]
        for parent in node.parents if each_use else kids(engine, node):
            paths[id(parent)] = paths.get(id(parent), 0) + paths[id(node)]
    if total > TOO_MANY:
        raise Stop("timeout")
    if total > MOST_VISITS:
        raise Unsupported


def _recursive(engine: Engine, root: Node, seeding: bool = False) -> None:
    """Each node runs its rule, then calls its parents, once for every use, on what their grad is by then."""
    _few_enough(engine, root)
    stack = [root]
    while stack:
        node = stack.pop()
        if seeding:
            node.grad = engine.flaw.seed
        engine.rule(node)
        stack.extend(reversed(kids(engine, node)))


def _recursive_shares(engine: Engine, root: Node) -> None:
    """`backward(g)` adds g to grad, then calls each parent with its local derivative times all of grad."""
    _few_enough(engine, root, each_use=True)
    root.grad, stack = 0.0, [(root, engine.flaw.seed)]
    while stack:
        node, share = stack.pop()
        node.grad += share
        calls = [(parent, slope * node.grad) for parent, slope in _lines(node)]
        stack.extend(calls if engine.style.order == "right" else reversed(calls))


def _per_path(engine: Engine, root: Node) -> None:
    """Right, but once along every path."""
    _few_enough(engine, root, each_use=True)
    root.grad, stack = 0.0, [(root, engine.flaw.seed)]
    while stack:
        node, share = stack.pop()
        node.grad += share
        stack.extend((parent, slope * share) for parent, slope in _lines(node))


def _lines(node: Node) -> Iterable[tuple[Node, float]]:
    return zip(node.parents, SLOPES[node.op](*(p.data for p in node.parents), node.data),
               strict=True) if node.parents else ()


def _unvisited(engine: Engine, root: Node) -> None:
    """A post-order that remembers nothing: a node stands in it once for every path."""
    _few_enough(engine, root)
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(kids(engine, node))
    _run(engine, order)


WALKS: dict[str, Callable[[Engine, Node], None]] = {
    "sorted": lambda engine, root: _run(engine, after_users(engine, root)),
    "twice": lambda engine, root: _run(engine, reversed(post_order(engine, root, twice=True))),
    "stack twice": _stack_twice,
    "root only": lambda engine, root: engine.rule(root),
    "nothing": lambda engine, root: None,
    "depth first": _preorder,
    "breadth first": _breadth_first,
    "breadth first, late": _breadth_first_late,
    "recursive": _recursive,
    "recursive, seeding": lambda engine, root: _recursive(engine, root, seeding=True),
    "recursive, shares": _recursive_shares,
    "unvisited": _unvisited,
    "per path": _per_path,
}


def backward(engine: Engine, root: Node) -> None:
    """What the flawed engine's `backward()` does."""
    if engine.flaw.seed:
        root.grad = engine.flaw.seed
    WALKS[engine.flaw.walk](engine, root)
    if engine.flaw.step:
        for node in reachable(engine, root):
            node.data += engine.flaw.step * node.grad
