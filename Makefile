# Written for GNU Make 3.81, the one that macOS ships, and up.

PYTHON ?=
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
PORT ?= 8000

BIN := .venv/bin
READY := .venv/.ready
LABS := $(shell sed -n 's|.*file: *book/\(.*_lab\) *$$|\1|p' _toc.yml)
NOTEBOOKS := $(LABS:%=book/%.ipynb)
EXECUTED := $(LABS:%=build/labs/%.ipynb)
PACKAGE := $(shell find code/descent -name '*.py')
SITE := build/site
PAGES := $(SITE)/_build/html

.PHONY: help setup labs book serve test lint doctest unit nbval smoke browser lock clean
.DELETE_ON_ERROR:

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the virtual environment, from the lock

# The lock holds hashes, and with hashes pip takes no local build of PyTorch but fetches the one
# with CUDA, so PyTorch is pinned in requirements.txt and installed by itself.
$(READY): requirements.txt requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/venv .venv
	@echo "setup: installing the locked requirements"
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.txt)"
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# One rule for every lab: it runs again when it, the package or the lock has changed.
build/labs/%.ipynb: book/%.ipynb $(PACKAGE) requirements.lock
	@$(BIN)/descent run $* --output build/labs --no-progress

labs: $(READY) ## execute the labs that changed, side by side
	@$(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) $(EXECUTED)

book: labs ## execute the labs, check that they ran, and render the book
	@$(BIN)/descent stage build/labs $(SITE)
	@echo "book: rendering"
	@$(BIN)/jupyter-book build $(SITE) -n -W --keep-going --all -q
	@echo "The book is at file://$(CURDIR)/$(PAGES)/index.html"

serve: book ## open the book on localhost
	@$(BIN)/python -m webbrowser -t "http://localhost:$(PORT)" >/dev/null 2>&1 || true
	@echo "Serving http://localhost:$(PORT); Ctrl-C ends it."
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(PAGES) $(PORT)

test: lint doctest unit nbval smoke browser ## everything that CI runs

lint: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports
	@$(BIN)/codespell

doctest: $(READY)
	@$(BIN)/python -m pytest --quiet --doctest-modules code/descent

unit: $(READY)
	@$(BIN)/python -m pytest --quiet -n $(JOBS) tests --ignore tests/browser

nbval: $(READY)
	@$(BIN)/python -m pytest --quiet --nbval-lax --nbval-current-env --nbval-cell-timeout 600 \
		-n $(JOBS) --dist loadscope $(NOTEBOOKS)

smoke: $(READY)
	@for lab in $(LABS); do \
		$(BIN)/descent run $$lab --profile smoke --output build/smoke --no-progress || exit 1; \
	done

browser: book
	@$(BIN)/python -m pytest --quiet tests/browser

lock: $(READY) ## resolve requirements.txt into requirements.lock
	@sh .ci/lock

clean: ## remove what was built, the virtual environment aside
	@rm -rf build
