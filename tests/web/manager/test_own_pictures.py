"""Own pictures: uploaded with an activity, kept when something else is wrong, shown wherever a built-in one is."""

import html
import io
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

import config
from booking import pictures
from booking.db import transactions
from booking.model import Activity, Picture
from booking.web.middleware import upload_setting
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour, at
from tests.support.photos import file, halves, noise, opened
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone

pytestmark = pytest.mark.sqlite
PHOTO = file(halves())
ANY_BYTES, MOST = bytes(range(256)), 10 * 1024 * 1024
TYPED = {"title": "街拍", "kind": "photo", "picture": "photo", "text": "带上手机", "text_en": "Bring a phone"}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def send(desk: Desk, path: str = "activities/new", content: bytes = PHOTO, **typed: str) -> TestResponse:
    upload = FileStorage(io.BytesIO(content), "照片.jpg")
    boundary, body = encode_multipart(TYPED | typed | {"upload": upload})
    kind = f"multipart/form-data; boundary={boundary}"
    with time_machine.travel(at("Mon 11:00"), tick=False):
        # The client's own multipart leaves a temporary file open.
        return desk.client.post(f"{desk.root}{path}", data=body, content_type=kind, follow_redirects=True)


def latest(lunch: LunchHour) -> Activity:
    lunch.session.rollback()
    return lunch.session.scalars(select(Activity).order_by(Activity.id.desc()).limit(1)).one()


def chosen(answer: TestResponse) -> str:
    (found,) = re.findall(r'name="picture" value="([^"]+)" checked', answer.text)
    return found


def test_an_activity_shows_the_picture_that_came_with_it(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    assert "活动加上了" in said(send(desk, content=file(noise((3000, 2250)), quality=92)))
    activity = latest(lunch)
    assert pictures.is_uploaded(activity.picture)
    assert f"/pictures/{activity.picture}/card.jpg" in desk.get("activities").text
    with transactions.transaction(lunch.session) as session:
        first = session.scalars(select(Activity).order_by(Activity.id)).first()
        assert first
        first.picture = activity.picture
    page = Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 10:01").text
    assert f'<img class="picture" src="/pictures/{activity.picture}/large.jpg"' in page
    head = dict(re.findall(r'<meta property="(og:image[a-z:]*)" content="([^"]*)">', page))
    address = head["og:image"].removeprefix("http://localhost")
    shown = opened(app.test_client().get(address).data)
    assert (str(shown.width), str(shown.height)) == (head["og:image:width"], head["og:image:height"])
    assert f'"image": "{head["og:image"]}"' in page


def test_a_picture_is_sent_once_to_each_browser_and_shared_proxies(
    app: Flask, desk: Desk, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(desk)
    client, address = app.test_client(), f"/pictures/{latest(lunch).picture}/card.jpg"
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    monkeypatch.setattr(pictures, "find", None)
    assert client.get(address).data == answer.data, "from memory"


@pytest.mark.parametrize(
    "path", ["0" * 32 + "/card", "yoga/card", "../yoga/large", "0" * 32 + "/huge", "0" * 31 + "g/card"]
)
def test_no_other_address_is_a_picture(app: Flask, path: str) -> None:
    assert app.test_client().get(f"/pictures/{path}.jpg").status_code == 404


def test_what_was_typed_and_sent_stays_after_an_error(desk: Desk, lunch: LunchHour) -> None:
    answer = send(desk, title="")
    assert answer.status_code == 422
    own = chosen(answer)
    assert (bool(pictures.is_uploaded(own)), "带上手机" in answer.text) == (True, True)
    assert "活动加上了" in said(desk.post("activities/new", **TYPED | {"picture": own}))
    assert latest(lunch).picture == own


BAD = {
    "broken": (b"\xff\xd8\xff", "这不是一张能读懂的图片"),
    "heic": (b"\0\0\0\x24ftypheic", "HEIC"),
    "icon": (file(halves((64, 64))), "320 × 180"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_photo_is_told_at_its_field(desk: Desk, lunch: LunchHour, name: str) -> None:
    content, sentence = BAD[name]
    answer = send(desk, content=content)
    (error,) = re.findall(r'id="picture-error">(.*?)</p>', answer.text)
    assert (answer.status_code, sentence in error) == (422, True)
    assert ("街拍" in answer.text, chosen(answer)) == (True, "photo")
    assert latest(lunch).title != "街拍"


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_typed_stays_when_the_file_is_too_large(
    app: Flask, desk: Desk, lunch: LunchHour, is_new: bool
) -> None:
    path = "activities/new" if is_new else f"activities/{latest(lunch).id}"
    answer = send(desk, path, ANY_BYTES * (app.config["MAX_PICTURE_LENGTH"] // 256), title="街拍 <b>")
    assert answer.status_code == 413
    page = html.unescape(answer.text)
    assert [words in page for words in ('value="街拍 <b>"', "带上手机", "Bring a phone", "最大 10 MB")] == [True] * 4
    assert chosen(answer) == "photo"
    assert send(desk, path, PHOTO + (ANY_BYTES * (MOST // 256))[len(PHOTO) :]).status_code == 200


def test_another_picture_of_the_table_cannot_be_named(desk: Desk, lunch: LunchHour) -> None:
    for name in ("f" * 32, "../../etc/passwd"):
        answer = desk.post("activities/new", **TYPED | {"picture": name})
        assert (answer.status_code, 'id="picture-error"' in answer.text) == (422, True)


def test_what_is_gone_is_said_at_its_field(desk: Desk, lunch: LunchHour) -> None:
    own = chosen(send(desk, title=""))
    with transactions.transaction(lunch.session) as session:
        session.delete(session.get_one(Picture, own))
    assert 'id="picture-error"' in desk.post("activities/new", **TYPED | {"picture": own}).text


def test_only_a_manager_s_form_decodes_anything(app: Flask, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "encode", None)
    data: dict[str, Any] = TYPED | {"upload": (io.BytesIO(PHOTO), "a.jpg")}
    with time_machine.travel(at("Mon 11:00"), tick=False):
        assert app.test_client().post("/manage/cbd/activities/new", data=data).status_code == 303


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/manage/cbd/activities/new", "MAX_PICTURE_LENGTH"),
        ("/manage/cbd/activities/12", "MAX_PICTURE_LENGTH"),
        ("/manage/cbd/import/plans", "MAX_UPLOAD_LENGTH"),
        ("/manage/cbd/activities/12/retire", None),
        ("/manage/cbd/activities/ready-made", None),
        ("/slots/1/book", None),
    ],
)
def test_only_forms_with_a_file_may_be_larger(path: str, setting: str | None) -> None:
    assert upload_setting(path) == setting


def test_every_page_asks_in_one_place_where_a_picture_is() -> None:
    """An address of `static/pictures` made by hand would lead nowhere for an uploaded one."""
    by_hand = re.compile(r"""pictures/['"]? ?~|f"pictures/""")
    files = [*(config.ROOT / "templates").rglob("*.html"), *(config.ROOT / "booking").rglob("*.py")]
    found = {path.name for path in files if by_hand.search(path.read_text())}
    assert found == {"picture_links.py", "page.html"}, "page.html shows the built-in ones"
