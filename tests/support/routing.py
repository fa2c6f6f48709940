"""Routing: Werkzeug compiles two functions for each address of an app; here once for all the apps that tests make."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from werkzeug.routing import Rule


@contextmanager
def compiled_once() -> Iterator[None]:
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def kept(rule: Rule, append_unknown: bool = True) -> Any:
        """All that the function is made of; the rule itself is an argument of it."""
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with mock.patch.object(Rule, "_compile_builder", kept):
        yield
