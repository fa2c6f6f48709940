"""Bytecode cache: compiled templates, kept beside them as Python keeps its modules, so that a new process need not compile."""

import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class TemplateBytecodeCache(FileSystemBytecodeCache):
    """Where nothing can be read or written, each process compiles its templates itself."""

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):  # a full disk, or a folder of somebody else
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def of(templates: Path) -> TemplateBytecodeCache:
    """The one of a folder of templates; a template that has changed is compiled anew."""
    return TemplateBytecodeCache(str(templates / "__pycache__"), "%s.jinja")
