# Included by the Makefile: the C tests, the fuzz replay and the lint commands. spec/run calls these targets.

# A C test says what it links: a line `/* needs: redis/address.c base/text.c */` names files of src.
spec_needs = $(patsubst %.c,$(BUILD)/obj/%.o,\
             $(shell sed -n 's,.*/\* needs: \(.*\) \*/.*,\1,p' $(1)))
# $(1) program, $(2) its C files, $(3) libraries
define spec_program
$(1): $(2) $(call spec_needs,$(firstword $(2))) $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(RL_CFLAGS) $$(LDFLAGS) -Isrc -MMD -MP -MF $$@.d -o $$@ \
	  $$(filter %.c %.o,$$^) $$(RL_LIBS) $(3)
endef

UNIT_SOURCES := $(sort $(wildcard spec/unit/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:spec/unit/%.c=$(BUILD)/unit/%)
FUZZ_SOURCES := $(sort $(wildcard spec/fuzz/fuzz_*.c))
FUZZ_REPLAYS := $(FUZZ_SOURCES:spec/fuzz/%.c=$(BUILD)/fuzz/%)
$(foreach s,$(UNIT_SOURCES),$(eval \
  $(call spec_program,$(BUILD)/unit/$(notdir $(s:.c=)),$(s),-lcmocka)))
$(foreach s,$(FUZZ_SOURCES),$(eval \
  $(call spec_program,$(BUILD)/fuzz/$(notdir $(s:.c=)),$(s) spec/fuzz/replay.c,)))
-include $(wildcard $(BUILD)/unit/*.d $(BUILD)/fuzz/*.d)

.PHONY: unit-tests fuzz-replay fuzz valgrind
unit-tests: $(UNIT_TESTS)
fuzz-replay: $(FUZZ_REPLAYS)

# libFuzzer itself, TIME seconds for each target, from the corpus on; what it finds stays in BUILD.
TIME ?= 60
FUZZERS := $(FUZZ_SOURCES:spec/fuzz/%.c=$(BUILD)/libfuzzer/%)
$(BUILD)/libfuzzer/%: spec/fuzz/%.c $(wildcard src/*/*.[ch]) $(BUILD)/embedded.c $(BUILD)/flags
	@mkdir -p $(@D)
	clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Isrc \
	  $(shell $(PKG_CONFIG) --cflags $(RL_PC)) -o $@ $< \
	  $(shell sed -n 's,.*/\* needs: \(.*\) \*/.*,\1,p' spec/fuzz/$*.c | \
	    sed 's,[^ ]*\.c,src/&,g; s,src/embedded.c,$(BUILD)/embedded.c,') $(RL_LIBS)
fuzz: $(FUZZERS) ## TIME=60 seconds for each fuzz target
	@for f in $(FUZZERS); do \
	  name=$${f##*/fuzz_} && mkdir -p $(BUILD)/corpus/$$name && \
	  $$f -max_total_time=$(TIME) -artifact_prefix=$(BUILD)/$$name- \
	    $(BUILD)/corpus/$$name spec/fuzz/corpus/$$name || exit 1; \
	done
	BUILD=$(BUILD) spec/fuzz/server/run TIME=$(TIME)
	BUILD=$(BUILD) spec/fuzz/child/run JOBS=$$(($(TIME) * 10))

# The program whose n-th call fails (spec/nth/README.md): with sanitizers, and asking failing_malloc.c for memory.
NTH := $(BUILD)/nth
.PHONY: nth
nth: $(NTH)/failing.so $(NTH)/failing_malloc.o
	$(MAKE) BUILD=$(NTH) SAN=1 LINK=static \
	  LDFLAGS='-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc $(NTH)/failing_malloc.o' $(NTH)/resque-lua
$(NTH)/failing.so: spec/nth/failing.c spec/nth/failing.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -g -O1 -std=c11 -D_GNU_SOURCE $(RL_WARN) -fPIC -shared -o $@ $< -ldl
$(NTH)/failing_malloc.o: spec/nth/failing_malloc.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -g -O1 -std=c11 $(RL_WARN) -D_GNU_SOURCE -c -o $@ $<

.PHONY: chaos
JOBS ?= 100000
chaos: all ## JOBS=100000 jobs under a tenth as many faults; SEED=n for the same ones again
	./spec/chaos/run JOBS=$(JOBS) $(if $(SEED),SEED=$(SEED)) BUILD=$(BUILD)

valgrind: ## unit tests and one job under valgrind
	./spec/run valgrind

# Each lint is one target, so that spec/run counts them one by one.
LINTS := lint-lua lint-format lint-cppcheck lint-man lint-shell lint-node lint-lines lint-floors
.PHONY: $(LINTS)
lint: $(LINTS) ## luacheck, clang-format, cppcheck, mandoc and the small ones

LINT_C     := $(wildcard src/*.[ch] src/*/*.[ch] spec/unit/*.[ch] spec/fuzz/*.[ch] spec/nth/*.[ch] spec/support/*.[ch])
LINT_SHELL := $(wildcard src/*/*.sh spec/*.sh spec/*/*.sh spec/run spec/*/run spec/*/*/run demo/run .ci/run conf/*.sh \
              findings/*.sh)
# Everything is checked for tabs, blanks at the end and unfinished work, and for lines over 120
# columns; C and Lua have 100 and their own tools for it.
LINT_TEXT  := $(LINT_C) $(LINT_SHELL) $(shell find lua jobs demo spec -name node_modules -prune -o \
              \( -name '*.lua' -o -name '*.js' \) -print)

lint-lua:
	luacheck --quiet --no-color $(wildcard lua jobs demo) spec --exclude-files '**/node_modules/**'
# The layout is one on which clang-format 14 and 19 agree.
lint-format:
	clang-format --dry-run -Werror $(LINT_C)
# A test that gets no memory may crash: that is seen. Newer versions say so, and where they stopped to think.
lint-cppcheck:
	cppcheck --quiet --std=c11 -D_GNU_SOURCE --enable=warning,performance,portability --inline-suppr \
	  $(foreach w,nullPointer nullPointerArithmetic ctunullpointer,--suppress='$wOutOfMemory:spec/*') \
  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --error-exitcode=1 -Isrc $(filter %.c,$(LINT_C))
# Our own pages name each other before any of them is installed.
lint-man:
	@out=$$(mandoc -Tlint conf/man/*.[1-9] | grep -v 'referenced manual not found'); \
	  test -z "$$out" || { echo "$$out"; exit 1; }
lint-shell:
	@for f in $(LINT_SHELL); do \
	  case $$(head -n 1 $$f) in *bash*) bash -n $$f ;; *) sh -n $$f ;; esac || exit 1; done
lint-node:
	@for f in spec/node/*.js; do node --check $$f || exit 1; done
lint-lines:
	@! grep -nE '^.{121,}|[[:blank:]]$$|	' $(LINT_TEXT)
	@! grep -nwE 'TO''DO|FIX''ME|XX''X' $(LINT_TEXT)
lint-floors:
	@lua5.4 spec/floors.lua
