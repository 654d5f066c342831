# Written for GNU Make 3.81, the one that macOS ships, and up.

PYTHON ?=
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
PORT ?= 8000

BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready
PAGES := build/site/_build/html
RUNS := build/labs
LABS := $(patsubst book/%.ipynb,%,$(sort $(wildcard book/*_lab.ipynb)))
NOTEBOOKS := $(LABS:%=book/%.ipynb)
EXECUTED := $(LABS:%=build/labs/%.ipynb)

# A lab alone depends on its own parameters and exercises, every lab on the rest of the package.
# Nothing that a lab prints or draws comes from pages.py, which only checks and stages it.
CHAPTERS := code/descent/chapters
OWN := $(wildcard $(CHAPTERS)/*/lab.py $(CHAPTERS)/*/exercises.py)
PACKAGE := $(filter-out $(OWN) code/descent/press/pages.py,$(shell find code/descent -type f ! -name '*.pyc'))
own = $(wildcard $(CHAPTERS)/$(1:_lab=)/lab.py $(CHAPTERS)/$(1:_lab=)/exercises.py)

STRIP := $(BIN)/nbstripout --keep-count --keep-id --extra-keys \
	"metadata.language_info.version metadata.papermill cell.metadata.papermill"
QUIET := sh "$(CURDIR)/.ci/quiet"

.PHONY: help setup labs executed book site pdf serve gpu pages release address test lint doctest unit nbval smoke browser mutants format strip lock clean

# Whatever -j says, one thing is done after another; the labs alone run side by side.
ifneq ($(MAKECMDGOALS),executed)
.NOTPARALLEL:
endif

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the virtual environment, from the lock

# A virtual environment holds absolute paths: where the checkout was moved or copied, make it anew.
ifneq ($(shell cat $(LOCKED) 2>/dev/null),$(CURDIR))
.PHONY: $(LOCKED)
endif

# The lock holds hashes, and with hashes pip takes no local build of PyTorch but fetches the one
# with CUDA, so PyTorch is pinned in requirements.txt and installed by itself.
$(LOCKED): requirements.txt requirements.lock
	@PYTHON="$(PYTHON)" sh .ci/venv .venv
	@echo "setup: installing the locked requirements, which takes a minute or more"
	@$(QUIET) $(BIN)/python -m pip install --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -c 'import torch' 2>/dev/null || { \
		echo "setup: installing PyTorch" && \
		$(QUIET) $(BIN)/python -m pip install "$$(grep '^torch==' requirements.txt)"; }
	@pwd -P >$@

$(READY): $(LOCKED) pyproject.toml
	@$(QUIET) $(BIN)/python -m pip install --no-deps --no-build-isolation --editable ".[book]"
	@touch $@

# One rule for every lab. `descent run` puts the result in place only when the lab has run to its
# end, so that a lab that fails, or is interrupted, leaves the result of the last good run.
build/labs/%.ipynb: book/%.ipynb $(PACKAGE) requirements.txt requirements.lock | $(READY)
	@$(BIN)/descent run $* --output build/labs --no-progress

$(foreach lab,$(LABS),$(eval build/labs/$(lab).ipynb: $(call own,$(lab))))

executed: $(EXECUTED)
	@:

labs: $(READY) ## execute the labs that changed, side by side
	@rm -f build/labs/.none $(filter-out $(EXECUTED),$(wildcard build/labs/*.ipynb))
	@$(MAKE) --no-print-directory --keep-going $(if $(filter -j%,$(MAKEFLAGS)),,--jobs=$(JOBS)) executed

build/claims.json: $(PACKAGE) $(wildcard tests/chapters/*.py tests/chapters/*/*.py) | $(READY)
	@echo "book: measuring the claims of papers again"
	@$(QUIET) $(BIN)/python -m pytest --quiet -n $(JOBS) -m claim tests/chapters --claims $@

book: labs site ## execute the labs, check that they ran, and render the book

site: $(READY) build/claims.json ## render the book from the labs executed in RUNS, by default build/labs
	@$(BIN)/descent stage $(RUNS) build/site --claims build/claims.json
	@echo "book: rendering"
	@$(QUIET) $(BIN)/jupyter-book build build/site -n -W --keep-going -q
	@echo "The book is at $$($(BIN)/python -c 'import pathlib; \
		print(pathlib.Path("$(PAGES)/index.html").resolve().as_uri())')"

pdf: $(READY) ## print the rendered book as one PDF
	@echo "pdf: printing, which takes a minute or two"
	@$(BIN)/python book/_ext/pdf.py $(PAGES) build/descent.pdf

serve: book ## render the book and open it on localhost
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT) or None))' 2>/dev/null \
		|| { echo "serve: PORT must be a free port in [1, 65535], got $(PORT)" >&2; exit 1; }
	@echo "The book is at http://localhost:$(PORT)/ until you press Ctrl-C."
	@(sleep 1; $(BIN)/python -m webbrowser http://localhost:$(PORT)/) >/dev/null 2>&1 & \
		exec $(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(PAGES) \
			>build/serve.log 2>&1

# Every lab runs, also after one that failed; `descent verify` then says what became of each.
gpu: $(READY) ## execute the labs at full size on a CUDA device, and hold them against the CPU's
	@$(BIN)/descent device cuda
	@mkdir -p build/gpu
	@for lab in $(LABS); do \
		$(BIN)/descent run $$lab --profile gpu --output build/gpu --no-progress 2>&1 \
			| tee build/gpu/$$lab.log; \
	done
	@$(BIN)/descent verify build/gpu $(LABS) --device cuda

pages: ## lay out the rendered book as it is published, beside the releases in build/releases
	@$(BIN)/python .ci/pages.py $(PAGES) build/releases build/pages

release: $(READY) ## put together what a release offers, of the version TAG, from what was built
	@$(BIN)/python .ci/release.py build build/release $(TAG)

address: $(READY) ## write the repository's address, which stands in _config.yml, wherever it is named
	@$(BIN)/python .ci/address.py

test: lint doctest unit nbval smoke browser ## everything that CI runs, up to the first failure

lint: $(READY) ## check the form of code, notebooks, prose and workflows
	@echo "test: lint"
	@$(QUIET) $(BIN)/ruff check
	@$(QUIET) $(BIN)/ruff format --check
	@rm -rf build/format && mkdir -p build/format && cp $(NOTEBOOKS) pyproject.toml build/format
	@cd build/format && $(QUIET) ../../$(BIN)/nbqa yapf --in-place *.ipynb
	@for lab in $(LABS); do cmp -s book/$$lab.ipynb build/format/$$lab.ipynb || { \
		echo "lint: make format would change book/$$lab.ipynb" >&2; exit 1; }; done
	@$(QUIET) $(BIN)/lint-imports
	@$(QUIET) $(BIN)/codespell
	@$(QUIET) $(STRIP) --verify $(NOTEBOOKS)
	@$(QUIET) $(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(QUIET) $(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@$(QUIET) $(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(QUIET) $(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	@$(QUIET) $(BIN)/zizmor --offline --no-progress .github

doctest: $(READY)
	@echo "test: the examples in docstrings"
	@$(BIN)/python -m pytest --quiet --doctest-modules code/descent book/_ext

unit: $(READY) ## test the package, the equations and the repository
	@echo "test: the package, the equations and the repository"
	@$(BIN)/python -m pytest --quiet -n $(JOBS) --dist loadgroup tests \
		--ignore tests/browser --ignore tests/executed \
		--claims build/claims.json

# All labs were executed once, by papermill; one of them is again, as nbval does it.
nbval: labs
	@echo "test: the labs against the check lines kept in them"
	@$(BIN)/python -m pytest --quiet tests/executed
	@$(BIN)/python -m pytest --quiet --nbval-lax --nbval-current-env --nbval-cell-timeout 600 \
		book/gradient_descent_lab.ipynb

smoke: $(READY)
	@echo "test: the labs with their smallest parameters, on a pretend accelerator"
	@$(QUIET) $(BIN)/python tests/support/pretend/pretend.py
	@$(BIN)/python -m pytest --quiet -n $(JOBS) tests/smoke.py

browser: book
	@echo "test: the rendered book in a browser"
	@$(BIN)/python -m pytest --quiet -n $(JOBS) --dist loadgroup tests/browser

# Hours for all of them: a part is SINCE=main, or MODULES=losses, or SAMPLE=500. CI does not run it.
mutants: $(READY) ## change the package a little, many times, and see whether its tests notice
	@$(BIN)/python tests/support/run_mutants.py --jobs $(JOBS) $(if $(SINCE),--since $(SINCE)) \
		$(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(MODULES)

format: $(READY) ## put code and labs into their form
	@$(QUIET) $(BIN)/ruff format
	@$(QUIET) $(BIN)/nbqa yapf --in-place $(NOTEBOOKS)

strip: $(READY) ## remove the labs' outputs, the kept check lines aside
	@$(STRIP) $(NOTEBOOKS)

# With a pin changed the environment is out of date, but the one there is can resolve the new pins.
lock: $(if $(wildcard $(BIN)/uv),,$(READY)) ## resolve requirements.txt into requirements.lock
	@sh .ci/lock

clean: ## remove what was built, the virtual environment aside
	@rm -rf build
