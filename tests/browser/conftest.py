"""What every story in a browser may ask for."""

from collections.abc import Iterator

import pytest

from tests.support.clock import Wall


@pytest.fixture
def wall() -> Iterator[Wall]:
    wall = Wall()
    yield wall
    wall.stop()
