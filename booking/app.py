"""Application factory: builds the Flask app; the only file that imports every part."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import config
from booking import cli, extensions
from booking.db import connections
from booking.telemetry import slow_statements
from booking.telemetry.slow_statements import TimedPool
from booking.web import (
    account,
    admin,
    bytecode_cache,
    errors,
    form_errors,
    headers,
    health,
    manager,
    middleware,
    network,
    privacy,
    request_log,
    styleguide,
    unsubscribe,
    worker,
)
from booking.web.cache import store
from booking.web.fast_lane import enter, page
from booking.web.i18n import formatting
from booking.web.kiosk import touch
from booking.web.security import csrf, session


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """The app, with the environment's settings and `overrides` over them."""
    settings = {**config.load(), **(overrides or {})}
    app = Flask(
        "booking",
        root_path=str(config.ROOT / "booking"),
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
        instance_path=settings["INSTANCE_PATH"],
    )
    app.config.update(settings)
    with config.usable(Path(app.instance_path)):
        Path(app.instance_path).mkdir(parents=True, exist_ok=True)
    compiled = bytecode_cache.of(config.ROOT / "templates")
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True, "bytecode_cache": compiled}
    _trust_proxies(app)
    errors.register(app)
    _bind_extensions(app)
    form_errors.register(app)
    headers.register(app)
    formatting.register(app)
    for room in (worker, touch, manager, account, admin, network, privacy, unsubscribe):
        app.register_blueprint(room.pages)
    health.register(app)
    if not app.config["PRODUCTION"]:
        app.register_blueprint(styleguide.pages)
    cli.register(app)
    return app


def _bind_extensions(app: Flask) -> None:
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"poolclass": TimedPool, **app.config["SQLALCHEMY_ENGINE_OPTIONS"]}
    extensions.db.init_app(app)
    extensions.login.init_app(app)
    session.register(app)
    csrf.register(app)
    extensions.babel.init_app(app, locale_selector=session.language)
    extensions.limiter.init_app(app)
    # Only decorated views have a limit, and check it themselves: no need for a hook on every request.
    every = app.before_request_funcs[None]
    app.before_request_funcs[None] = [hook for hook in every if hook != extensions.limiter._check_request_limit]  # noqa: SLF001
    extensions.compress.init_app(app)
    with app.app_context():
        connections.configure_engine(extensions.db.engine)
        slow_statements.watch(extensions.db.engine, app.config["SLOW_STATEMENT_MS"])
    store.register(app)
    middleware.limit_concurrency(app)
    enter.register(app)
    page.register(app)
    middleware.read_bodies(app)
    middleware.check_hosts(app)
    request_log.register(app)


def _trust_proxies(app: Flask) -> None:
    """Ignore X-Forwarded-For, -Proto and -Host unless TRUSTED_PROXIES says how many proxies of ours are in front."""
    if count := app.config["TRUSTED_PROXIES"]:
        trusted = {"x_for": count, "x_proto": count, "x_host": count}
        app.wsgi_app = ProxyFix(_of_the_web(app.wsgi_app), **trusted)  # type: ignore[method-assign]


def _of_the_web(ask: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Treat every scheme other than https as http: a proxy may pass on what the client claims."""

    def answer(environ: dict[str, Any], start: Any) -> Any:
        if environ["wsgi.url_scheme"] != "https":
            environ["wsgi.url_scheme"] = "http"
        return ask(environ, start)

    return answer
