"""Architecture: what the import contracts in setup.cfg cannot say: who reads the clock, sizes, and heavy imports."""

import ast
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import config

HOUSE = config.ROOT / "booking"


def modules() -> list[str]:
    """Every file of the house, as a path without its ending: `web/worker/day`, `seats/booking`, `clock`."""
    paths = (path.relative_to(HOUSE).with_suffix("") for path in HOUSE.rglob("*.py"))
    names = (str(path).removesuffix("/__init__") for path in paths)
    return sorted(name for name in names if not name.startswith("migrations") and name not in ("__init__", "web"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def path_of(module: str) -> Path:
    plain = HOUSE / f"{module}.py"
    return plain if plain.exists() else HOUSE / module / "__init__.py"


def test_only_the_clock_reads_the_clock() -> None:
    readers = {"now", "utcnow", "today", "time", "monotonic"}
    for module in set(modules()) - {"clock"}:
        for node in ast.walk(tree_of(path_of(module))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in readers:
                assert node.value.id not in ("datetime", "date", "time"), f"{module}:{node.lineno}"


# What costs a process megabytes is loaded by who needs it: a web process stays under 130.
HEAVY = {
    "booking.jobs.scheduler",
    "flask_migrate",
    "holidays",
    "pypinyin",
    "xlsxwriter",
}
FOREIGN = {
    "alembic",
    "apscheduler",
    "flask_migrate",
    "holidays",
    "pypinyin",
    "python_calamine",
    "xlsxwriter",
}


def named(node: ast.Import | ast.ImportFrom) -> set[str]:
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}


def test_imports_stand_at_the_top() -> None:
    for module in modules():
        tree = tree_of(path_of(module))
        top = set(tree.body)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert (node in top) != bool(named(node) & HEAVY), f"{module}:{node.lineno}"


def test_a_web_process_starts_without_what_is_heavy() -> None:
    program = f"import wsgi, sys; print(*{FOREIGN} & sys.modules.keys())"
    env = os.environ | {"DATABASE_URL": "sqlite://"}
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=config.ROOT, env=env, capture_output=True, text=True
    )
    assert loaded.stdout.split() == []


def test_a_page_or_job_opens_no_transaction() -> None:
    """It calls a verb, which is one."""
    for module in modules():
        if module.startswith(("web/", "jobs", "demo", "cli")):
            opened = [
                node.lineno
                for node in ast.walk(tree_of(path_of(module)))
                if isinstance(node, ast.Name | ast.Attribute)
                and (node.id if isinstance(node, ast.Name) else node.attr) in ("transaction", "run_with_retry")
            ]
            assert opened == [], module


RULES = {"seats", "draws", "slots", "people", "services", "network", "stations", "checkin_sync", "monitoring", "demo"}


def verbs() -> dict[str, set[str]]:
    """The names of the verbs of each file."""
    decorators = {"transactional", "retried"}
    return {
        module: {
            node.name
            for node in tree_of(path_of(module)).body
            if isinstance(node, ast.FunctionDef) and decorators & {ast.unparse(one) for one in node.decorator_list}
        }
        for module in modules()
    }


def called(module: str) -> set[str]:
    """What the functions of a file call by a name that it imports or defines, as `file.name`."""
    tree = tree_of(path_of(module))
    home = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("booking"):
            place = (node.module or "").removeprefix("booking").lstrip(".").replace(".", "/")
            for alias in node.names:
                home[alias.asname or alias.name] = f"{place}.{alias.name}" if place else alias.name
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {home[call.id] for call in calls if isinstance(call, ast.Name) and call.id in home}
    dotted = [call for call in calls if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name)]
    return names | {f"{home[c.value.id].replace('.', '/')}.{c.attr}" for c in dotted if c.value.id in home}


def test_a_verb_calls_another_by_its_inner_form() -> None:
    """Below the pages nothing begins a second transaction."""
    known = {f"{module}.{name}" for module, names in verbs().items() for name in names}
    known |= {f"{module.partition('/')[0]}.{name}" for module, names in verbs().items() for name in names}
    for module in modules():
        if module.partition("/")[0] in RULES:
            assert called(module) & known == set(), module


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "common", "data", "process", "handle", "misc"}
    assert {part for module in modules() for part in module.split("/")}.isdisjoint(drawers)


def test_no_class_name_stands_twice() -> None:
    nodes = (node for module in modules() for node in ast.walk(tree_of(path_of(module))))
    times = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    assert {name for name, count in times.items() if count > 1} == set()


def test_no_file_name_stands_more_than_twice() -> None:
    times = Counter(Path(module).name for module in modules() if path_of(module).name != "__init__.py")
    assert {name for name, count in times.items() if count > 2} == {"blueprint"}


def test_files_and_functions_stay_small() -> None:
    for module in modules():
        path = path_of(module)
        assert len(path.read_text().splitlines()) <= 400, f"{module} wants to be a folder"
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 50, f"{module}.{node.name} is too long"


def test_templates_carry_no_inline_script_or_style() -> None:
    forbidden = ("<style", " style=", "<script>", " onclick=", " onsubmit=", " onchange=", "hx-on", "|safe")
    for path in (config.ROOT / "templates").rglob("*.html"):
        if "mail" in path.parts:
            continue  # a mail program knows no stylesheet
        text = path.read_text()
        assert [word for word in forbidden if word in text] == [], path.name


# The field's words, and a file in which whoever searches for one should land.
WORDS = {
    "anonymise": "people/anonymise.py",
    "audit log": "history.py",
    "back-pressure": "jobs/backpressure.py",
    "backoff": "mail/backoff.py",
    "batch": "db/batch.py",
    "cache": "web/cache/store.py",
    "compiled statement": "db/statements.py",
    "concurrency": "web/middleware.py",
    "connection pool": "db/pool.py",
    "csrf": "web/security/csrf.py",
    "dead letter": "monitoring/dead_letters.py",
    "deadlock": "db/transactions.py",
    "etag": "web/worker/etag.py",
    "fragment": "web/htmx.py",
    "health": "web/health.py",
    "i18n": "web/i18n/messages.py",
    "idempotency": "seats/booking.py",
    "invalidation": "queries/change_feed.py",
    "invariant": "invariants/__init__.py",
    "leader election": "jobs/leader_election.py",
    "log line": "telemetry/logs.py",
    "middleware": "web/middleware.py",
    "metrics": "telemetry/web_metrics.py",
    "no-show": "seats/lifecycle.py",
    "optimistic lock": "seats/look.py",
    "outbox": "mail/outbox.py",
    "pagination": "queries/admin.py",
    "permission": "web/security/permissions.py",
    "rate limit": "web/rate_limit.py",
    "redaction": "telemetry/redaction.py",
    "read model": "seats/snapshot.py",
    "readiness": "web/health.py",
    "request id": "web/request_log.py",
    "retention": "people/retention.py",
    "retry": "db/transactions.py",
    "scheduler": "jobs/scheduler.py",
    "session": "web/security/session.py",
    "waitlist": "seats/waitlist.py",
}


def test_the_words_of_the_field_lead_to_their_files() -> None:
    """By path, or as one of the first three files in which the word stands."""
    texts = {str(path.relative_to(HOUSE)): path.read_text().lower() for path in sorted(HOUSE.rglob("*.py"))}
    lost = []
    for word, file in WORDS.items():
        first = [name for name, text in texts.items() if word in text][:3]
        if word.replace("-", "").replace(" ", "_") not in file and file not in first:
            lost.append((word, file, first))
    assert lost == []


LIVE = {"'booked'", "'attended'", "'waiting'"}
COUNTERS = {"taken", "waiting", "waitlist_seq"}
# The demo writes past days as whole rows with their ends, which it has made up in memory; the samples are never stored.
OTHER_ROWS = {"demo/books", "demo/noon", "mail/samples"}


def test_only_claim_writes_a_seat_or_a_waiting_list_place() -> None:
    found = {module for module in modules() if any(_writes_a_seat(node) for node in ast.walk(tree_of(path_of(module))))}
    assert found == {"seats/claim", *OTHER_ROWS}


def _writes_a_seat(node: ast.AST) -> bool:
    """Whether it makes a booking, sets a state that holds a seat or a place, or counts one more."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add) and getattr(node.target, "attr", "") in COUNTERS
    if isinstance(node, ast.Assign):
        return any(getattr(to, "attr", "") == "state" for to in node.targets) and ast.unparse(node.value) in LIVE
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func).rpartition(".")[2]
    given = {ast.unparse(one) for one in [*node.args, *(keyword.value for keyword in node.keywords)]}
    if name in ("insert", "insert_rows", "update_rows"):
        return bool(given & {"Booking", "tables['booking']"})
    return name == "Booking" or (name in ("move", "end", "values") and bool(given & LIVE))
