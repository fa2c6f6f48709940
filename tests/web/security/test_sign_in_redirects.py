"""Sign-in redirects there and back, for pages, actions and fragments; and 404s that must look alike."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.support.network_cast import Network

pytestmark = pytest.mark.sqlite
HTMX = {"HX-Request": "true"}
HERE = "http://localhost"


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/account/", "/account/sign-in?next=%2Faccount%2F"),
        ("/manage/cbd/slots?from=2026-11-23", "/account/sign-in?next=%2Fmanage%2Fcbd%2Fslots%3Ffrom%3D2026-11-23"),
        ("/manage/nowhere/", "/account/sign-in?next=%2Fmanage%2Fnowhere%2F"),
        ("/admin/", "/account/sign-in?next=%2Fadmin%2F"),
    ],
)
def test_a_page_leads_to_the_sign_in_page_and_back(
    network: Network, client: FlaskClient, path: str, leads: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (303, leads)


@pytest.mark.parametrize(
    ("referer", "next_path"),
    [
        (f"{HERE}/account/?a=1", "%2Faccount%2F%3Fa%3D1"),
        ("http://evil.example/account/", "%2F"),
        (f"{HERE}//evil.example", "%2F"),
        (f"{HERE}/\\evil.example", "%2F"),
        ("", "%2F"),
    ],
)
def test_an_action_leads_back_to_its_page(client: FlaskClient, referer: str, next_path: str) -> None:
    answer = client.post("/account/sign-ins/end-others", headers={"Referer": referer})
    assert answer.location == f"/account/sign-in?next={next_path}"


def test_a_fragment_is_not_replaced_by_a_whole_page(client: FlaskClient) -> None:
    answer = client.post("/account/sign-ins/end-others", headers=HTMX | {"HX-Current-URL": f"{HERE}/account/"})
    assert answer.headers["HX-Redirect"] == "/account/sign-in?next=%2Faccount%2F"
    assert answer.data == b""


def test_a_station_of_others_looks_like_one_that_is_not_there(network: Network, app: Flask) -> None:
    client = network.browser(app, "林经理")
    theirs, nowhere = client.get("/manage/west/"), client.get("/manage/nowhere/")
    assert (theirs.status_code, nowhere.status_code) == (404, 404)
    assert bare(theirs.text, "west") == bare(nowhere.text, "nowhere")


def bare(page: str, code: str) -> str:
    """A page without what differs each time."""
    return re.sub(
        r'data-now="[^"]*"|name="csrf_token" value="[^"]*"|<code>[0-9a-f]{16}</code>', "", page.replace(code, "…")
    )


@pytest.mark.parametrize("token", ["", "x", "x" * 3000, "令牌"])
def test_a_session_with_a_made_up_token_is_nobodys(network: Network, client: FlaskClient, token: str) -> None:
    with client.session_transaction() as kept:
        kept["_user_id"] = token
    assert client.get("/account/").status_code == 303
