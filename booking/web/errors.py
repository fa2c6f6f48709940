"""Error pages: what people see when something is wrong with the request, or with the server."""

import logging
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, abort, g, make_response, render_template, request
from flask.globals import request_ctx
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError
from werkzeug.routing import IntegerConverter

from booking.web import htmx

log = logging.getLogger(__name__)

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
SENTENCES = {
    400: (_("这个请求我们读不懂"), _("请回到上一页，检查一下填写的内容再试。")),
    403: (_("这里不对你开放"), _("如果你认为应该可以打开，请联系驿站管理员。")),
    404: (_("没有找到这个页面"), _("它可能已经取消，或者地址不完整。")),
    405: (_("不能这样打开这个地址"), _("请从页面上的按钮操作。")),
    413: (_("提交的内容太大了"), _("请缩短一些再试。")),
    429: (_("操作太频繁了"), _("请稍等一会儿再试。")),
    500: (_("我们这边出错了"), _("这次操作没有完成。请稍后再试，问题已经记录下来。")),
    503: (_("系统正忙"), _("请过几秒再试，已经确认的预约不会丢失。")),
}
# After a worker's booking or cancellation: rolled back by the database, or of unknown result because the connection
# broke.
NOT_DONE = (_("系统正忙"), _("刚才没有约上，也什么都没有改变。请再按一次。"))
WHO_KNOWS = (_("系统正忙"), _("还不知道刚才有没有成功。请再按一次：成功了也不会重复。"))
EXPIRED = _("登录变了，或者页面放得太久了")
PRESS_EXPIRED = (EXPIRED, _("请刷新这一页，再按一次。"))
PAGE_EXPIRED = (
    EXPIRED,
    _("退出了的，先在新的一页里登录；再在这里按浏览器的“后退”，重新提交：填过的内容多半还在。"),
)


class DoorHelperEnded(Forbidden):
    """403 for a door helper whose day is over, or whom a manager has sent home."""

    words = (
        _("门口助手的权限已经结束"),
        _("午夜自动结束，驿站管理员也可以提前撤下。还要帮忙的话，请他们在“参与者”里再请你一次。"),
    )


class IdConverter(IntegerConverter):
    """Ids that a database can hold: at most 18 ASCII digits. Anything else is a 404."""

    regex = "[0-9]{1,18}"


def read_id(text: str) -> int:
    """The id, or the page number, in a field, by the same rule; 0, which nothing has, for anything else."""
    return int(text) if re.fullmatch(IdConverter.regex, text) else 0


def register(app: Flask) -> None:
    app.url_map.converters["int"] = IdConverter
    app.before_request(_refuse_unstorable_text)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, lambda _error: _page(400, PRESS_EXPIRED if htmx.asked() else PAGE_EXPIRED))
    app.register_error_handler(InternalServerError, lambda _error: _calm_page(500))
    for busy in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(busy, _busy)
    app.register_error_handler(DBAPIError, _database)


def _refuse_unstorable_text() -> None:
    """NUL and lone surrogates cannot be stored as text, so they are refused here, once for all rules."""
    if None in request.form:  # a part without a name, which no browser sends and Flask-WTF cannot read
        abort(400)
    if UNSTORABLE.search(request.path) or is_unstorable(request.args) or is_unstorable(request.form):
        abort(400)


def is_unstorable(fields: MultiDict[str, str]) -> bool:
    """Whether a name or a value is no text that a database can store."""
    return bool(UNSTORABLE.search(" ".join([text for pair in fields.items(multi=True) for text in pair])))


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    words = error.words if isinstance(error, DoorHelperEnded) else SENTENCES.get(error.code, SENTENCES[400])
    response = _page(error.code, words)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _busy(error: Exception) -> Response:
    # The driver's name for it tells a statement timeout from a lock timeout or a lost connection.
    log.warning("database busy or gone at %s: %s", request.endpoint, type(getattr(error, "orig", error)).__name__)
    return _later(error)


def _later(error: Exception) -> Response:
    response = _calm_page(503, _of_an_act(error))
    response.headers["Retry-After"] = "3"
    return response


def overloaded(app: Flask) -> WSGIApplication:
    """The same answer to a request that is not even begun; not logged, for these are many."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with app.request_context(environ):
            return _later(PoolTimeout())(environ, start)

    return answer


def _database(error: DBAPIError) -> Response:
    if error.connection_invalidated:
        return _busy(error)
    raise error


def _page(code: int, words: tuple[object, object]) -> Response:
    if request_ctx.url_adapter is None:  # the Host header is invalid, so no URL can be built
        return _calm_page(code, words)
    title, advice = words
    template = "errors/notice.html" if htmx.asked() else "errors/page.html"
    back = htmx.came_from() if words is PAGE_EXPIRED else ""
    return make_response(render_template(template, code=code, title=title, advice=advice, back=back), code)


def _of_an_act(error: Exception) -> tuple[object, object] | None:
    """What a worker needs to know after booking or cancelling: whether it counted, and that repeating it is safe."""
    if request.method != "POST" or request.blueprint != "worker":
        return None
    return WHO_KNOWS if isinstance(error, DBAPIError) and error.connection_invalidated else NOT_DONE


def _calm_page(code: int, words: tuple[object, object] | None = None) -> Response:
    """A static error page: rendered without the database, neither for the reader's name nor for their language."""
    g.calm = True
    title, advice = words or SENTENCES[code]
    return make_response(render_template("errors/calm.html", title=title, advice=advice), code)
