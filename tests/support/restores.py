"""Backups and restores as an operator makes them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import time_machine
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from booking.extensions import db


@dataclass
class Operator:
    """Types commands at an instant, while nobody else is connected."""

    app: Flask
    engine: Engine
    session: Session
    now: datetime

    def backup(self, file: Path) -> str:
        return self.run("backup", str(file))

    def restore(self, file: Path, *options: str) -> str:
        """After the web server and the scheduler were stopped."""
        self.session.close()
        self.engine.dispose()
        with self.app.app_context():
            db.engine.dispose()
        return self.run("restore", str(file), *options)

    def run(self, *words: str) -> str:
        with time_machine.travel(self.now, tick=True):
            told = self.app.test_cli_runner().invoke(args=words)
        if told.exception and not isinstance(told.exception, SystemExit):
            raise told.exception
        return f"{told.exit_code}: {told.output}"


Make = Callable[..., Operator]
