"""The people's rules get a network of their own, on both databases."""

import pytest
from sqlalchemy.orm import Session

from tests.support.network_cast import Network


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)
