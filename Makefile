# run: the demo, ready to use     install: what production needs     test: everything, on both databases     test-all: sweeps and fuzz at full size too     lint: style and types     bench: the rush, measured
PORT ?= 8000
export PORT

# Another interpreter: make install PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard booking/translations/*/LC_MESSAGES/*.po))
# djlint: H015 wants <br> after headings, H020 dislikes empty cells and templates' placeholders,
# H030 and H031 want meta tags for search engines, H043 wants type=submit on a form's only button,
# H044 wants only th in a table's head, but an empty th is a heading that says nothing to a screen reader,
# J018 wants url_for, but the addresses are a promise and are written as they are.
ALLOWED := H015,H020,H030,H031,H043,H044,J018

.PHONY: run install test test-all lint bench bench-city format catalogue lock
.DELETE_ON_ERROR:

run: .venv/.run $(CATALOGUES)
	@deploy/serve

# What production needs, and nothing else: the packages of requirements/run.txt, and the catalogues compiled.
install: .venv/.run $(CATALOGUES)
	@echo "Installed in .venv: see 'Set it up for real' in README.md"

# Many tests start the app in a process of its own: compile it once, also where the shell says not to.
test test-all: export PYTHONDONTWRITEBYTECODE =
test test-all: .venv/.dev $(CATALOGUES)
	@deploy/system-packages chromium chromium-headless-shell fonts-noto-cjk nginx-light postgresql \
		$(if $(filter test-all,$@),caddy dovecot-imapd faketime haproxy iptables npm pgbouncer prometheus spamassassin systemd)
	$(BIN)/pytest -n 2 --dist worksteal $(if $(filter test-all,$@),--whole)

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --quiet --lint --profile jinja --ignore $(ALLOWED) templates

# GROWTH=full: ten million bookings instead of one. ROUNDS, SECONDS, STATIONS, AGAINST: see bench/README.md.
BENCH = $(BIN)/python -m bench $(if $(AGAINST),--against $(AGAINST)) $(if $(STATIONS),--stations $(STATIONS))
bench: .venv/.bench
	@deploy/system-packages chromium fonts-noto-cjk postgresql wrk
	$(BENCH) --rounds $(or $(ROUNDS),5) --seconds $(or $(SECONDS),3) --servers $(or $(SERVERS),granian:2:64) \
		--bookings $(if $(filter full,$(GROWTH)),10000000,1000000)

bench-city: .venv/.bench
	@deploy/system-packages postgresql wrk
	$(BENCH) city

format: .venv/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# After changing sentences: find the new ones, then translate what is empty in messages.po.
catalogue: .venv/.run
	$(BIN)/pybabel -q extract -F booking/translations/babel.cfg -k lazy_gettext --no-wrap \
		--sort-output --add-location=never --omit-header -o .venv/messages.pot .
	$(BIN)/pybabel -q update -i .venv/messages.pot -d booking/translations --no-wrap \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	sed -i -E '/^"(Project-Id|Report-Msgid|POT-Creation|PO-Revision|Last-Tr|Language-T|Generated)/d' \
		booking/translations/*/LC_MESSAGES/messages.po

# After changing requirements/*.in.
lock: .venv/.run
	$(PIP) uv
	for name in run dev bench; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
		--no-emit-index-url -o requirements/$$name.txt requirements/$$name.in || exit 1; done

# Asked first, so that a Python that is too old leaves no .venv behind. One without the mark is of no known Python.
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The app needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@PYTHON=$(PYTHON) deploy/system-packages python3-venv
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.run: requirements/run.txt | .venv/.made
	@echo "Installing what the app needs"
	@$(PIP) -r requirements/run.txt
	@touch $@

.venv/.dev: requirements/dev.txt | .venv/.made
	@echo "Installing what the tests need"
	@$(PIP) -r requirements/dev.txt
	@touch $@ .venv/.run

.venv/.bench: requirements/bench.txt | .venv/.made
	@echo "Installing what the bench needs"
	@$(PIP) -r requirements/bench.txt
	@touch $@

%.mo: %.po | .venv/.run
	@$(BIN)/pybabel -q compile -i $< -o $@
