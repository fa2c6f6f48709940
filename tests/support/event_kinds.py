"""Event kinds, read from the source: every word that the code can write into `Event.kind`."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import config

Writer = tuple[str, str]  # module and function
# Where a kind enters the history, and at which place it stands among the arguments.
FIRST: dict[Writer, int] = {("booking.history", "record"): 1, ("booking.history", "record_all"): 1}
FIRST |= {("booking.history", "EventTemplate"): 0, ("booking.seats.claim", "change"): 4}
# What `seats.claim` and the draw say by hand: with what a booking begins, and whom a draw passes over.
BY_HAND = frozenset(
    {"booked", "reserved", "waiting", "standby", "walked_in", "checked_in", "drawn", "passed_over", "frozen"}
)


@dataclass
class Module:
    """A file, and where each name that it imports comes from."""

    name: str
    tree: ast.Module
    imported: dict[str, Writer] = field(default_factory=dict)
    calls: list[tuple[ast.FunctionDef | None, ast.Call]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Module":
        parts = path.relative_to(config.ROOT).with_suffix("").parts
        module = cls(".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text()))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                module.imported |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        module.calls += _calls(module.tree)
        return module


@lru_cache
def written() -> frozenset[str]:
    """Every kind. A function that hands a parameter on as the kind is a writer too."""
    modules = {one.name: one for one in map(Module.read, sorted((config.ROOT / "booking").rglob("*.py")))}
    writers, kinds = dict(FIRST), set(BY_HAND)
    known = 0
    while known != len(writers):
        known = len(writers)
        for module in modules.values():
            for function, call in module.calls:
                callee = _callee(call, module, modules)
                if callee in writers:
                    words, handed_on = _said(_argument(call, writers[callee]), function, module)
                    kinds |= words
                    for place in handed_on:
                        writers[(module.name, function.name if function else "")] = place
    return frozenset(kinds)


def _calls(tree: ast.AST, inside: ast.FunctionDef | None = None) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Each call, and the function that it stands in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield inside, node
        yield from _calls(node, node if isinstance(node, ast.FunctionDef) else inside)


def _callee(call: ast.Call, module: Module, modules: dict[str, Module]) -> Writer | None:
    target = call.func
    if isinstance(target, ast.Name):
        return _home(module.imported.get(target.id, (module.name, target.id)), modules)
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        if target.value.id == "self":
            return module.name, target.attr
        package, name = module.imported.get(target.value.id, ("", ""))
        return _home((f"{package}.{name}", target.attr), modules) if package else None
    return None


def _home(writer: Writer, modules: dict[str, Module]) -> Writer:
    """Where the function is written, when a package hands on what one of its files has."""
    module = modules.get(writer[0])
    further = module.imported.get(writer[1]) if module else None
    return _home(further, modules) if further and further != writer else writer


def _argument(call: ast.Call, place: int) -> ast.expr:
    named = [given.value for given in call.keywords if given.arg in ("kind", "reason")]
    return call.args[place] if place < len(call.args) else named[0]


def _said(value: ast.expr, function: ast.FunctionDef | None, module: Module) -> tuple[set[str], list[int]]:
    """The kinds that an expression can be, and which parameters of the function it may come from."""
    if isinstance(value, ast.Constant):
        return {str(value.value)}, []
    if isinstance(value, ast.IfExp):
        one, other = _said(value.body, function, module), _said(value.orelse, function, module)
        return one[0] | other[0], one[1] + other[1]
    if isinstance(value, ast.Name):
        parameters = [one.arg for one in function.args.args if one.arg != "self"] if function else []
        if value.id in parameters:
            return set(), [parameters.index(value.id)]
        if given := _given(function, value.id) or _given(module.tree, value.id):
            found = [_said(one, function, module) for one in given]
            return {word for words, _ in found for word in words}, [place for _, places in found for place in places]
    raise AssertionError(f"{module.name}:{value.lineno}: which kind of event is {ast.unparse(value)!r}?")


def _given(within: ast.AST | None, name: str) -> list[ast.expr]:
    """What a name is set to within a function or a file."""
    assigned = [node for node in ast.walk(within) if isinstance(node, ast.Assign)] if within else []
    return [one.value for one in assigned if any(isinstance(to, ast.Name) and to.id == name for to in one.targets)]
