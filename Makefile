# `make demo` shows it, `make test` proves it. Both start from nothing but Python 3.10+.

PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PACKAGE := wagtail_cookie_charter

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types templates javascript messages assets screenshots clean

help:
	@echo "make demo       the sandbox on http://127.0.0.1:$(PORT)/ (PORT=8000)"
	@echo "make test       every test, browser included"
	@echo "make lint       ruff, mypy, djlint, tsc"
	@echo "make format     put the code in shape"
	@echo "make messages   collect and compile translations (needs gettext)"
	@echo "make assets     build what is served from $(PACKAGE)/frontend"
	@echo "make screenshots  every picture of the docs, from the sandbox"
	@echo "make clean      remove what these commands made"

demo: $(VENV)/.installed
	@$(BIN)/python sandbox/manage.py demo --port $(PORT)

test: $(VENV)/.installed-dev node_modules/.package-lock.json
	@echo "==> Finding a browser"
	@$(BIN)/python -m tests.browser.chromium
	@echo "==> Finding PostgreSQL"
	@$(BIN)/python -m tests.benchmarks.postgres
	@echo "==> Tests"
	@$(BIN)/python -m pytest -n $(JOBS) -m "not benchmark" || $(call failed,tests)
	@echo "==> Tests in a project whose base page model is swapped"
	@$(BIN)/python -m pytest --ds tests.swapped.settings tests/swapped || $(call failed,swapped-page tests)
	@echo "==> Benchmarks, one at a time"
	@$(BIN)/python -m pytest -m benchmark || [ $$? -eq 5 ] || $(call failed,benchmarks)
	@echo "==> All tests passed."

lint: $(VENV)/.installed-dev types templates javascript
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

templates: $(VENV)/.installed-dev
	@$(BIN)/djlint --lint --quiet $(PACKAGE) sandbox tests

javascript: $(VENV)/.installed-dev node_modules/.package-lock.json
	@$(BIN)/node node_modules/typescript/bin/tsc

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

assets: $(VENV)/.installed-dev
	@$(BIN)/python -m $(PACKAGE).frontend.build

messages: $(VENV)/.installed
	@command -v msgfmt >/dev/null || { echo "Translations need gettext: apt-get install gettext"; exit 1; }
	@cd $(PACKAGE) && ../$(BIN)/django-admin makemessages --all --no-location --no-wrap
	@cd $(PACKAGE) && ../$(BIN)/django-admin compilemessages
	@cd tests && ../$(BIN)/django-admin compilemessages

screenshots: $(VENV)/.installed-dev node_modules/.package-lock.json
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.pictures

clean:
	rm -rf $(VENV) .venv-wagtail74 node_modules build dist *.egg-info sandbox/db.sqlite3 sandbox/media

# --- What the commands stand on: made once, again only when pyproject.toml changed ---

failed = { echo "==> The $(1) failed: the reason is above."; exit 1; }

$(BIN)/python:
	@echo "==> Creating $(VENV)"
	@.ci/venv "$(PYTHON)" $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "==> Installing what the sandbox needs (a minute or two, once)"
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "==> Installing what the tests need (a few minutes, once)"
	@$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/.installed

node_modules/.package-lock.json: package-lock.json | $(VENV)/.installed-dev
	@echo "==> Installing what checks JavaScript, markup and accessibility"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@
