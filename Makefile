# resque-lua: `make`, `make install PREFIX=/usr DESTDIR=`, `make help`.

# What a packager sets. CC, CFLAGS, CPPFLAGS and LDFLAGS from outside are respected.
PREFIX     ?= /usr/local
DESTDIR    ?=
BUILD      ?= build
CFLAGS     ?= -O2 -g
PKG_CONFIG ?= pkg-config
# LINK=shared keeps Lua, cjson and hiredis apart from the program. Else they are part of it where their .a
# files are there: each shared library makes the fork for every job dearer (README.md of spec/bench).
LINK       ?= static
# SECCOMP=1 needs libseccomp (2.5.3) for SANDBOX=strict, 0 does without; auto: if it is there.
SECCOMP    ?= auto
# Where a plain lua5.4 looks for modules.
LUA_SHARE  ?= $(PREFIX)/share/lua/5.4
LUA_LIB    ?= $(PREFIX)/lib/lua/5.4

# SAN=1: AddressSanitizer and UBSan. WERROR=1: warnings are errors (what the tests use).
ifeq ($(SAN),1)
  RL_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  RL_HARDEN :=
else
  RL_HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
  RL_LDFLAGS := -Wl,-z,relro,-z,now
endif
RL_WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings -Wvla \
           $(if $(filter 1,$(WERROR)),-Werror)

# One package per library: the name pkg-config knows, and Debian's package in case it is missing.
RL_PACKAGES := lua5.4:liblua5.4-dev lua5.4-cjson:lua-cjson-dev hiredis:libhiredis-dev
ifeq ($(if $(filter auto,$(SECCOMP)),$(shell $(PKG_CONFIG) --exists 'libseccomp >= 2.5.3' && echo 1),$(SECCOMP)),1)
  RL_PACKAGES += libseccomp:libseccomp-dev
  RL_DEFINES := -DRL_SECCOMP
endif
RL_PC := $(foreach p,$(RL_PACKAGES),$(firstword $(subst :, ,$(p))))
ifeq ($(filter clean help uninstall dist,$(MAKECMDGOALS)),)
  RL_CHECK := $(foreach p,$(RL_PACKAGES),$(if $(shell $(PKG_CONFIG) --exists $(firstword $(subst :, ,$(p))) && echo y),,\
    $(error $(firstword $(subst :, ,$(p))) was not found by $(PKG_CONFIG). hint: apt-get install $(lastword $(subst :, ,$(p))) pkg-config)))
endif
RL_CFLAGS := -std=c11 -D_GNU_SOURCE $(RL_DEFINES) $(RL_WARN) $(RL_SAN) $(RL_HARDEN) $(shell $(PKG_CONFIG) --cflags $(RL_PC) 2>/dev/null)
RL_SHARED := $(shell $(PKG_CONFIG) --libs $(RL_PC) 2>/dev/null)
RL_STATIC := -Wl,-Bstatic $(RL_SHARED) -Wl,-Bdynamic -lm -ldl
RL_LIBS   := $(RL_SHARED)
ifeq ($(LINK),static)
  ifeq ($(shell echo 'int main(void) { return 0; }' | $(CC) -x c -o /dev/null - $(RL_STATIC) 2>/dev/null && echo y),y)
    RL_LIBS := $(RL_STATIC)
  endif
endif
# C modules that jobs require use the Lua in the program, and see nothing else of it.
RL_EXPORT := -Wl,--dynamic-list=src/lua/lua.syms

# What everything is built with: objects depend on the file of it, which is written when it differs. -Werror changes
# no object, and cc may be another name of gcc. `make install` alone installs what was built, whatever that was.
RL_FLAGS := $(strip $(realpath $(shell command -v $(firstword $(CC)))) $(wordlist 2,99,$(CC)) \
              $(CPPFLAGS) $(CFLAGS) $(filter-out -Werror,$(RL_CFLAGS)) $(RL_LDFLAGS) $(LDFLAGS) $(RL_LIBS) $(RL_EXPORT) \
              $(join $(RL_PC:=/),$(shell $(PKG_CONFIG) --modversion $(RL_PC) 2>/dev/null)))
RL_GIVEN := $(filter environment command,$(foreach v,CC CPPFLAGS CFLAGS LDFLAGS LINK SECCOMP SAN,$(origin $v)))
ifneq ($(if $(RL_GIVEN),,$(MAKECMDGOALS))$(wildcard $(BUILD)/flags),install$(BUILD)/flags)
  ifneq ($(strip $(file <$(BUILD)/flags)),$(RL_FLAGS))
    .PHONY: $(BUILD)/flags
  endif
endif

SOURCES   := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS   := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
SCRIPT_FILES := $(sort $(wildcard lua/server/*.lua lua/server/*/*.lua))
LUA_FILES := $(sort $(wildcard lua/*.lua lua/*/*.lua lua/*/*/*.lua lua/*/*/*/*.lua))
# The modules a plain lua5.4 can load; each links only what it uses.
MODULES   := $(addprefix $(BUILD)/lib/resque/,sys.so sys/json.so net.so)
SYS_NEEDS := $(addprefix lua/lualib_,sys plain sleep includes) options/include_list os/folder \
             $(addprefix base/,log plain suggest text)
JSON_NEEDS := lua/lualib_json $(addprefix base/,json_check plain text)
NET_NEEDS := lua/lualib_redis lua/lualib_script lua/luavalues os/events os/descriptors \
             $(addprefix base/,clock memory plain source) $(addprefix redis/,address address_show address_environment \
             args auth command_names errors redis reply script_files)

.PHONY: all test demo lint fuzz valgrind install uninstall dist clean help
.DELETE_ON_ERROR:

all: $(BUILD)/resque-lua $(BUILD)/resque-enqueue $(MODULES) ## build the program and the Lua modules (default)

$(BUILD)/resque-lua: $(OBJECTS) $(BUILD)/obj/embedded.o src/lua/lua.syms
	$(CC) $(CFLAGS) $(RL_CFLAGS) $(RL_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(RL_LIBS) $(RL_EXPORT)

$(BUILD)/resque-enqueue: $(BUILD)/resque-lua
	ln -sf resque-lua $@

$(BUILD)/flags:
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(RL_FLAGS))' > $@

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RL_CFLAGS) -Isrc -MMD -MP -c -o $@ $<

# Every Lua file as it is, between two symbols: one row per file in a table the host searches. The module net has the
# scripts that run inside Redis.
$(BUILD)/embedded.c: $(LUA_FILES) src/base/embed.sh
	@mkdir -p $(@D)
	sh src/base/embed.sh $(LUA_FILES) > $@

$(BUILD)/scripts.c: $(SCRIPT_FILES) src/base/embed.sh
	@mkdir -p $(@D)
	sh src/base/embed.sh $(SCRIPT_FILES) > $@

$(BUILD)/obj/embedded.o: $(BUILD)/embedded.c $(LUA_FILES) src/base/embedded.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RL_CFLAGS) -Isrc -c -o $@ $<

$(BUILD)/pic/scripts.o: $(BUILD)/scripts.c $(SCRIPT_FILES) src/base/embedded.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RL_CFLAGS) -fPIC -fvisibility=hidden -Isrc -c -o $@ $<

# Position-independent copies of the objects for the modules; only luaopen_* is visible.
$(BUILD)/pic/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RL_CFLAGS) -fPIC -fvisibility=hidden -Isrc -MMD -MP -c -o $@ $<

$(BUILD)/lib/resque/sys.so: $(SYS_NEEDS:%=$(BUILD)/pic/%.o)
$(BUILD)/lib/resque/sys/json.so: $(JSON_NEEDS:%=$(BUILD)/pic/%.o)
$(BUILD)/lib/resque/net.so: $(NET_NEEDS:%=$(BUILD)/pic/%.o) $(BUILD)/pic/scripts.o
$(MODULES):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(RL_CFLAGS) $(RL_LDFLAGS) $(LDFLAGS) -shared -o $@ $^ $(if $(findstring net,$@),$(shell $(PKG_CONFIG) --libs hiredis))

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/obj/*/*.d $(BUILD)/pic/*/*.d)

include spec/spec.mk

test: ## install what is missing, build, run every test and lint
	./spec/run

demo: ## see it at work
	./demo/run

COMPLETIONS := $(addprefix $(BUILD)/completions/resque-lua.,bash zsh fish)
$(COMPLETIONS): $(BUILD)/completions/resque-lua.%: $(BUILD)/resque-lua
	@mkdir -p $(@D)
	$(BUILD)/resque-lua completion $* > $@

install: all $(COMPLETIONS) ## put everything below PREFIX (/usr/local)
	sh conf/install.sh install '$(BUILD)' '$(DESTDIR)' '$(PREFIX)' '$(LUA_SHARE)' '$(LUA_LIB)'

uninstall: ## remove exactly what install made
	sh conf/install.sh uninstall '$(BUILD)' '$(DESTDIR)' '$(PREFIX)' '$(LUA_SHARE)' '$(LUA_LIB)'

VERSION = $(shell sed -n 's/.*VERSION_TEXT "\(.*\)"/\1/p' src/base/version.h)
dist: ## the committed source as $(BUILD)/resque-lua-VERSION.tar.gz, which builds without git
	@mkdir -p $(BUILD)
	git archive --prefix=resque-lua-$(VERSION)/ -o $(BUILD)/resque-lua-$(VERSION).tar.gz HEAD

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@grep -hE '^[a-z]+:.*##' Makefile spec/spec.mk | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12
	@echo 'Campaigns, longer than the tests; the first lines of each say with what:'
	@printf '  %s\n' spec/*/run spec/*/*/run
