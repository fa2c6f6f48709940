"""Reasons: what is raised and what is said of it stand in one table."""

import ast
from collections.abc import Iterator

import config
from booking.errors import FLAGS
from booking.web.i18n.messages import REASONS

MODULES = {path: ast.parse(path.read_text()) for path in (config.ROOT / "booking").rglob("*.py")}


def raised() -> set[str]:
    """Every reason that a `RuleViolation` is made with: a constant, a choice of two, or one of a module's table."""
    return {reason for tree in MODULES.values() for reason in _reasons(tree)}


def _reasons(tree: ast.Module) -> Iterator[str]:
    tables = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Dict)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RuleViolation":
            yield from _constants(node.args[0], tables)


def _constants(code: ast.expr, tables: dict[str, ast.Dict]) -> Iterator[str]:
    """The strings that an expression may become."""
    if isinstance(code, ast.Constant):
        yield code.value
    elif isinstance(code, ast.IfExp):
        yield from (*_constants(code.body, tables), *_constants(code.orelse, tables))
    elif isinstance(code, ast.Call) and isinstance(code.func, ast.Attribute) and isinstance(code.func.value, ast.Name):
        for value in (*getattr(tables.get(code.func.value.id), "values", ()), *code.args[1:]):
            yield from _constants(value, tables)


def test_every_reason_that_is_raised_has_a_row() -> None:
    assert raised() - REASONS.keys() == set()


def test_every_row_is_raised() -> None:
    assert REASONS.keys() - raised() == set()


def test_flags_are_of_reasons_that_have_a_row() -> None:
    assert FLAGS.keys() - REASONS.keys() == set()
