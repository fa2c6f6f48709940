"""People of a node: its organisers and readers, the managers below, and transfers, by form and by sheet."""

from collections.abc import Iterator
from io import BytesIO

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import spreadsheets
from booking.db import transactions
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.model import Letter, ManagerInvitation, Manages, Oversees, Person, StaffTransfer
from booking.queries import oversight
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LONG_BEFORE, at, make_manager, make_people
from tests.support.tree_cast import city_tree
from tests.support.worker_cast import words_of

NOW = at("Mon 09:00")
HEADS = ("邮箱", "调出驿站代码", "调入驿站代码", "哪天起")

pytestmark = pytest.mark.one_database


class Desk:
    """韩统筹 organises 朝阳区; 林经理 and 周经理 run 国贸驿站, 吴经理 runs 望京驿站 alone."""

    def __init__(self, session: Session, app: Flask) -> None:
        self.session, self.app, self.tree = session, app, city_tree(session)
        stations = self.tree.stations
        with transactions.transaction(session):
            self.ids = make_people(session, ("韩统筹", "何主任", "许工", "周明"))
            for name, code in (("林经理", "guomao"), ("周经理", "guomao"), ("吴经理", "wangjing")):
                self.ids[name] = make_manager(session, stations[code], name)
            for person_id in self.ids.values():
                session.get_one(Person, person_id).email = f"p{person_id}@example.com"
            session.get_one(Person, self.ids["何主任"]).is_admin = True
            node = self.tree.nodes["chaoyang"]
            session.add(Oversees(person_id=self.ids["韩统筹"], node_id=node, role="organiser", since=LONG_BEFORE))
            self.tokens = {
                name: lasting(session, session.get_one(Person, person_id), "browser", NOW)
                for name, person_id in self.ids.items()
            }

    def email(self, who: str) -> str:
        return f"p{self.ids[who]}@example.com"

    def browser(self, who: str = "韩统筹") -> FlaskClient:
        return carry(self.app.test_client(), self.tokens[who], NOW)

    def post(self, path: str, **form: str) -> TestResponse:
        return self.browser().post(f"/net/chaoyang/people/{path}", data=form, follow_redirects=True)

    def transfer(self, who: str = "林经理", **more: str) -> TestResponse:
        return self.post("transfers", **{**self.move(who), **more})

    def move(self, who: str) -> dict[str, str]:
        return {"email": self.email(who), "leaves": "guomao", "joins": "wangjing", "on_date": "2026-12-01"}

    def sheet(self, *rows: tuple[str, ...]) -> TestResponse:
        file = BytesIO(spreadsheets.write_xlsx([spreadsheets.Table("调动", list(HEADS), [list(row) for row in rows])]))
        return self.browser().post(
            "/net/chaoyang/people/transfers/sheet", data={"sheet": (file, "moves.xlsx")}, follow_redirects=True
        )

    def managers(self, code: str) -> set[int]:
        self.session.rollback()
        return set(
            self.session.scalars(select(Manages.person_id).where(Manages.station_id == self.tree.stations[code]))
        )

    def moves(self) -> list[int]:
        self.session.rollback()
        pending = (StaffTransfer.done_at.is_(None), StaffTransfer.withdrawn_at.is_(None))
        return list(self.session.scalars(select(StaffTransfer.person_id).where(*pending).order_by(StaffTransfer.id)))


@pytest.fixture
def desk(session: Session, app: Flask) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False):
        yield Desk(session, app)


def test_the_page_tells_who_is_who_and_which_station_has_nobody(desk: Desk) -> None:
    page = words_of(desk.browser().get("/net/chaoyang/people").text)
    assert "韩统筹 统筹" in page
    assert "国贸驿站 · guomao" in page
    assert "2 个驿站没有管理员。" in page
    assert page.index("光华路驿站 guanghua") < page.index("酒仙桥驿站 jiuxianqiao")
    assert "复兴门驿站" not in page


def test_a_list_that_is_cut_says_so_and_every_station_without_a_manager_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = words_of(desk.browser().get("/net/chaoyang/people").text)
    assert "只列出前" not in whole
    monkeypatch.setattr(oversight, "MOST", 1)
    desk.post("overseers", email=desk.email("许工"), role="reader", node="cbd-centre")
    page = words_of(desk.browser().get("/net/chaoyang/people").text)
    assert page.count("只列出前 1 条，其余的到下面的单位看。") == 1
    assert ("韩统筹 统筹" in page, "许工 查看" in page) == (True, False)
    assert "2 个驿站没有管理员。" in page


def test_a_search_finds_managers_by_name_address_and_station(desk: Desk) -> None:
    for sought in ("吴经", desk.email("吴经理"), "望京", "wangj"):
        page = desk.browser().get("/net/chaoyang/people", query_string={"q": sought}).text
        listed = page.partition('id="managers"')[2].partition('id="transfers"')[0]
        assert ("吴经理" in listed, "林经理" in listed) == (True, False), sought
    assert "没有找到" in desk.browser().get("/net/chaoyang/people?q=zzz").text


@pytest.mark.parametrize("role", ["organiser", "reader"])
def test_an_organiser_appoints_below_and_ends_it_again(desk: Desk, role: str) -> None:
    page = desk.post("overseers", email=desk.email("许工"), role=role, node="cbd-centre")
    assert "许工 现在可以看CBD 中心了。" in page.text
    theirs = desk.browser("许工")
    assert theirs.get("/net/cbd-centre").status_code == 200
    assert theirs.get("/net/cbd-centre/people").status_code == (200 if role == "organiser" else 404)
    assert theirs.get("/net/chaoyang").status_code == 404
    desk.post(f"overseers/cbd-centre/{desk.ids['许工']}/end")
    assert desk.browser("许工").get("/net/cbd-centre").status_code == 404


@pytest.mark.parametrize("left", ["reader", ""])
def test_who_gives_up_their_own_role_lands_on_what_is_left(desk: Desk, left: str) -> None:
    if left:
        answer = desk.post("overseers", email=desk.email("韩统筹"), role=left, node="chaoyang")
    else:
        answer = desk.post(f"overseers/chaoyang/{desk.ids['韩统筹']}/end")
    assert answer.status_code == 200
    assert answer.request.path == ("/net/" if left else "/")
    assert ("现在可以看朝阳区" if left else "撤下了") in words_of(answer.text)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": "nobody@example.com"}, "没有用这个邮箱的账号"),
        ({"email": "nobody"}, "邮箱"),
        ({"email": ""}, "请填写邮箱。"),
        ({"node": "nowhere"}, "没有代码是“nowhere”的单位"),
        ({"node": "xicheng"}, "这个单位下面没有代码是“xicheng”的单位"),
        ({"node": ""}, "请填写单位代码。"),
        ({"role": "owner"}, "请从列表里选一项。"),
    ],
)
def test_what_is_wrong_with_an_overseer_is_said_and_what_was_typed_is_kept(
    desk: Desk, form: dict[str, str], sentence: str
) -> None:
    sent = {"email": desk.email("许工"), "role": "reader", "node": "chaoyang"} | form
    answer = desk.post("overseers", **sent)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert f'value="{sent["node"]}"' in answer.text


def test_a_manager_is_appointed_or_invited_and_the_invitation_withdrawn(desk: Desk) -> None:
    assert "已任命 许工。" in desk.post("managers", email=desk.email("许工"), station="guanghua").text
    assert desk.managers("guanghua") == {desk.ids["许工"]}
    assert "邀请发出了" in desk.post("managers", email="new@example.com", station="jiuxianqiao").text
    desk.session.rollback()
    invitation = desk.session.scalars(select(ManagerInvitation)).one()
    assert "new@example.com" in (page := desk.browser().get("/net/chaoyang/people").text)
    assert "邀请邮件没有送到" not in page
    with transactions.transaction(desk.session) as session:
        session.scalars(select(Letter).where(Letter.to == "new@example.com")).one().state = "failed"
    assert "邀请邮件没有送到" in desk.browser().get("/net/chaoyang/people").text
    desk.session.rollback()
    assert "邀请撤回了" in desk.post(f"stations/jiuxianqiao/invitations/{invitation.id}/withdraw").text
    for code in ("nowhere", "fuxingmen"):
        answer = desk.post("managers", email=desk.email("许工"), station=code)
        assert (answer.status_code, f"没有代码是“{code}”的驿站" in answer.text) == (422, True)


def test_an_admin_sees_on_the_pages_of_people_what_somebody_oversees(desk: Desk) -> None:
    desk.post("overseers", email=desk.email("许工"), role="reader", node="chaoyang")
    admin = desk.browser("何主任")
    everybody = words_of(admin.get("/admin/people").text)
    assert [role in everybody for role in ("朝阳区 统筹", "朝阳区 查看")] == [True, True]
    assert "查看 朝阳区" in words_of(admin.get(f"/admin/people/{desk.ids['许工']}").text)
    assert "朝阳区" not in admin.get(f"/admin/people/{desk.ids['周明']}").text


def test_the_history_of_the_node_says_who_oversees_it(desk: Desk) -> None:
    desk.post("overseers", email=desk.email("许工"), role="reader", node="chaoyang")
    told = words_of(desk.browser().get("/net/chaoyang/history").text)
    assert "许工 · 成了统筹或查看：朝阳区，查看" in told


def test_the_last_manager_is_dismissed_only_after_a_word(desk: Desk) -> None:
    one = f"stations/wangjing/managers/{desk.ids['吴经理']}/dismiss"
    answer = desk.post(one)
    assert (answer.status_code, 'data-refusal="last_manager"' in answer.text) == (422, True)
    assert "没有人管理望京驿站，我知道了" in answer.text
    assert desk.managers("wangjing") == {desk.ids["吴经理"]}
    assert "吴经理 不再管理望京驿站。" in desk.post(one, confirmed="y").text
    assert desk.managers("wangjing") == set()


def test_a_second_tap_on_a_removal_says_that_it_is_done_already(desk: Desk) -> None:
    already = "之前已经撤下了，这次什么也没有改变。"
    desk.post("overseers", email=desk.email("许工"), role="reader", node="cbd-centre")
    end, dismiss = (
        f"overseers/cbd-centre/{desk.ids['许工']}/end",
        f"stations/wangjing/managers/{desk.ids['吴经理']}/dismiss",
    )
    desk.post(end)
    desk.post(dismiss, confirmed="y")
    assert already in desk.post(end).text
    assert already in desk.post(dismiss, confirmed="y").text
    admin = desk.browser("何主任").post(f"/admin/{dismiss}", follow_redirects=True)
    assert already in admin.text
    assert desk.post(f"overseers/cbd-centre/{desk.ids['周明']}/end").status_code == 404
    assert desk.post(f"stations/wangjing/managers/{desk.ids['周明']}/dismiss").status_code == 404


def test_an_admin_is_asked_the_same(desk: Desk) -> None:
    path = f"/admin/stations/wangjing/managers/{desk.ids['吴经理']}/dismiss"
    answer = desk.browser("何主任").post(path)
    assert (answer.status_code, "最后一位管理员" in answer.text) == (422, True)
    assert desk.browser("何主任").post(path, data={"confirmed": "y"}).status_code == 303


def test_who_deletes_the_account_is_told_that_nobody_is_left(desk: Desk) -> None:
    assert "你是那里最后一位管理员" in desk.browser("吴经理").get("/account/delete").text
    assert "你是那里最后一位管理员" not in desk.browser("林经理").get("/account/delete").text


def test_a_transfer_is_planned_and_withdrawn(desk: Desk) -> None:
    assert "调动安排好了" in desk.transfer().text
    assert desk.moves() == [desk.ids["林经理"]]
    page = words_of(desk.browser().get("/net/chaoyang/people").text)
    assert "从国贸驿站到望京驿站" in page
    transfer = desk.session.scalars(select(StaffTransfer.id)).one()
    desk.session.rollback()
    assert "调动取消了" in desk.post(f"transfers/{transfer}/withdraw").text
    assert "已经完成或者取消了" in desk.post(f"transfers/{transfer}/withdraw").text
    assert desk.moves() == []


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": "nobody@example.com"}, "没有用这个邮箱的账号"),
        ({"leaves": "jiuxianqiao"}, "这位不是酒仙桥驿站的管理员"),
        ({"joins": "guomao"}, "调出和调入是同一个驿站"),
        ({"joins": "nowhere"}, "没有代码是“nowhere”的驿站"),
        ({"joins": "fuxingmen"}, "这个单位下面没有代码是“fuxingmen”的驿站"),
        ({"leaves": ""}, "请填写驿站代码。"),
        ({"on_date": "2026-11-20"}, "这一天已经过了"),
        ({"on_date": "2029-11-20"}, "最多提前一年"),
        ({"on_date": "某天"}, "日期"),
        ({"on_date": ""}, "这一项要填。"),
    ],
)
def test_what_is_wrong_with_a_transfer_is_said_at_its_field(desk: Desk, form: dict[str, str], sentence: str) -> None:
    answer = desk.transfer(**form)
    assert (answer.status_code, sentence in answer.text, desk.moves()) == (422, True, [])
    assert f'value="{(desk.move("林经理") | form)["joins"]}"' in answer.text


def test_the_last_manager_moves_only_with_the_box_ticked(desk: Desk) -> None:
    form = {"leaves": "wangjing", "joins": "guomao"}
    assert "最后一位管理员" in desk.transfer("吴经理", **form).text
    assert desk.moves() == []
    assert desk.transfer("吴经理", confirmed="y", **form).status_code == 200
    assert desk.moves() == [desk.ids["吴经理"]]


def test_a_sheet_is_shown_first_and_then_planned(desk: Desk) -> None:
    rows = (
        (desk.email("林经理"), "guomao", "wangjing", "2026-12-01"),
        (desk.email("吴经理"), "wangjing", "guomao", "2026/12/1"),
    )
    page = desk.sheet(*rows).text
    assert "读到 2 行，还没有安排。" in page
    assert desk.moves() == []
    kept = page.partition('name="rows" value="')[2].partition('"')[0].replace("&#34;", '"').replace("&#13;", "\r")
    done = desk.browser().post(
        "/net/chaoyang/people/transfers/sheet", data={"rows": kept, "numbers": "2,3"}, follow_redirects=True
    )
    assert "安排了 2 个调动。" in done.text
    assert desk.moves() == [desk.ids["林经理"], desk.ids["吴经理"]]


def test_one_wrong_row_plans_nothing_and_is_named_by_row_and_column(desk: Desk) -> None:
    page = desk.sheet(
        (desk.email("林经理"), "guomao", "wangjing", "2026-12-01"),
        (desk.email("许工"), "guomao", "wangjing", "2026-12-01"),
        (desk.email("吴经理"), "wangjing", "nowhere", "2026-12-01"),
        ("", "wangjing", "guomao", "2026-12-01"),
    )
    assert page.status_code == 422
    text = words_of(page.text)
    assert "4 调入驿站代码 nowhere 这个单位下面没有代码是“nowhere”的驿站" in text
    assert "5 邮箱 请填写邮箱。" in text
    assert desk.moves() == []
    page = desk.sheet((desk.email("许工"), "guomao", "wangjing", "2026-12-01"))
    assert "2 邮箱 " in words_of(page.text)
    assert "这位不是国贸驿站的管理员" in page.text


def test_a_sheet_of_an_office_has_a_title_other_heads_and_a_row_below(desk: Desk) -> None:
    rows = (
        "12 月人员调动表,,,",
        "电子邮箱,调出驿站,调入驿站,生效日期",
        f"{desk.email('林经理')},Guomao,ＷＡＮＧＪＩＮＧ,2026.12.1",
        "合计,1 人,,",
        "制表人：王芳,,,",
    )
    file = BytesIO("\n".join(rows).encode("gb18030"))
    page = desk.browser().post("/net/chaoyang/people/transfers/sheet", data={"sheet": (file, "moves.csv")}).text
    assert "读到 1 行，还没有安排。" in page
    for remark in ("第 1 行：表头上面的这一行没有读", "第 4 行：合计的这一行没有读", "第 5 行：表格下面的这一行没有读"):
        assert remark in page


@pytest.mark.parametrize("file", [b"", b"PK nothing", b"a,b\n1,2\n"])
def test_a_file_that_is_no_such_sheet_is_refused_with_a_sentence(desk: Desk, file: bytes) -> None:
    answer = desk.browser().post(
        "/net/chaoyang/people/transfers/sheet", data={"sheet": (BytesIO(file), "moves.csv")}, follow_redirects=True
    )
    assert answer.status_code == 422
    assert 'id="sheet-error"' in answer.text


def test_after_the_day_the_open_pages_of_the_old_station_lead_nowhere(desk: Desk) -> None:
    desk.transfer(on_date="2026-11-23")
    client = desk.browser("林经理")
    assert client.get("/manage/guomao/").status_code == 200
    with desk.app.app_context():
        assert schedule.carry_out_transfers(Turn(NOW)) == 1
    assert (client.get("/manage/guomao/").status_code, client.get("/manage/wangjing/").status_code) == (404, 200)
    kinds = desk.session.scalars(select(Letter.details).where(Letter.kind == "staff_transfer")).all()
    assert sorted(told["what"] for told in kinds) == ["done"] * 3 + ["planned"] * 3


def test_ones_own_page_and_the_sign_in_lead_an_overseer_to_their_node(desk: Desk) -> None:
    page = desk.browser().get("/account/").text
    assert 'href="/net/chaoyang">全市网络：朝阳区</a>' in page
    assert 'href="/account/second-factor"' in page
    assert "/net/" not in desk.browser("周明").get("/account/").text
