# Everything a developer or a build runs.  `make run` and `make test` need only Python 3.11 or newer.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

HOST ?= 127.0.0.1
PORT ?= 8080

.PHONY: run test test-slow suites check lint types fmt content coverage statements pages example-pages \
        pictures tutorial sizes rooms golden mutate-content mutate-code wheel-test fhirpath-suite bench-fhirpath \
        bench-apply bench-java bench-http bench-population pins sbom audit validate-java clean help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.runtime ## start the service, print its address and the plan for an example
	@$(BIN)/python tools/run_example.py --host $(HOST) --port $(PORT)

test: $(VENV)/.developer ## run the test suite
	$(BIN)/python -m pytest -q -rfEs -n auto --dist worksteal -m "not slow and not network"

test-slow: $(VENV)/.developer ## run the tests that take long or need node, Java or a registry
	$(BIN)/python -m pytest -q -rfEs -m "slow or network"

suites: $(VENV)/.developer ## fetch the official suites into .suites; needs Maven
	$(BIN)/python tools/fetch_suites.py

check: lint types content test ## what the build runs

lint: $(VENV)/.developer ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.developer ## static types
	$(BIN)/mypy

fmt: $(VENV)/.developer ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

content: $(VENV)/.developer ## check the clinical content and its coverage
	$(BIN)/carepath lint
	$(BIN)/carepath coverage

coverage: $(VENV)/.developer ## write docs/coverage.md and docs/coverage.json
	$(BIN)/carepath coverage --write docs

statements: $(VENV)/.developer ## write docs/statements.md: the sentences of the content by statement
	$(BIN)/python tools/statements.py

pages: $(VENV)/.developer ## write the generated parts of the pathways' pages
	$(BIN)/python tools/pathway_pages.py

example-pages: $(VENV)/.developer ## write docs/examples: the pages of typical patients
	$(BIN)/python tools/example_pages.py

pictures: $(VENV)/.developer ## take the pictures of the README from the running page; needs Chromium
	$(BIN)/python tools/pictures.py

tutorial: $(VENV)/.developer ## run docs/tutorial.ipynb and write what its cells give into it
	$(BIN)/python tools/tutorial.py

sizes: $(VENV)/.developer ## requests, bytes and lines of the plan of each case patient
	$(BIN)/python tools/plan_sizes.py

rooms: $(VENV)/.developer ## write docs/architecture.svg and docs/architecture.md from the imports
	$(BIN)/python tools/rooms.py

golden: $(VENV)/.developer ## write the golden answers again
	$(BIN)/python tools/golden.py

mutate-content: $(VENV)/.developer ## change the content in one place after another; a case must catch each
	$(BIN)/python tools/mutate_content.py

mutate-code: $(VENV)/.developer ## change a copy of the code by a fixed list; a test must catch each
	$(BIN)/python tools/mutate_code.py

wheel-test: $(VENV)/.developer ## build the wheel, install it elsewhere, apply an example from there
	$(BIN)/python tools/wheel_test.py

fhirpath-suite: $(VENV)/.developer ## run a folder in the official FHIRPath test format: SUITE=dir
	$(BIN)/python tools/fhirpath_suite.py $(SUITE)

bench-fhirpath: $(VENV)/.developer ## FHIRPath next to fhirpath.js and fhirpathpy
	$(BIN)/python tools/bench/fhirpath.py

bench-apply: $(VENV)/.developer ## $$apply next to a hand-written function
	$(BIN)/python tools/bench/apply.py

bench-java: $(VENV)/.developer ## $$apply beside the Java engine; needs Java 17 and Maven
	$(BIN)/python tools/bench/java_engine.py

bench-http: $(VENV)/.developer ## $$apply over HTTP next to a bare view
	$(BIN)/python tools/bench/over_http.py

bench-population: $(VENV)/.developer ## many patients end to end, beside the floor and beside Spark; needs Java 17
	$(BIN)/python tools/bench/population.py

pins: $(VENV)/.supply ## write the requirements of the image with the digest of every file
	$(BIN)/python tools/supply_chain.py pins

sbom: $(VENV)/.supply ## write build/sbom.json: what the image holds, as CycloneDX
	$(BIN)/python tools/supply_chain.py sbom

audit: $(VENV)/.supply ## ask for known weaknesses of what the image holds; says when it could not
	$(BIN)/python tools/supply_chain.py audit

validate-java: $(VENV)/.developer ## the official Java validator over content and golden answers
	$(BIN)/python tools/validate_java/run.py

$(VENV)/.runtime: pyproject.toml constraints.txt
	@echo "Making a Python environment in $(VENV)."
	@$(PYTHON) tools/make_environment.py $(VENV)
	@echo "Installing Carepath and what it needs into $(VENV): half a minute, once."
	@$(PIP) -e .
	@touch $@

$(VENV)/.developer: $(VENV)/.runtime
	@echo "Installing what the tests and checks need into $(VENV): another half a minute, once."
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.supply: $(VENV)/.runtime
	@$(PIP) -e '.[supply]'
	@touch $@

clean: ## remove what the targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
