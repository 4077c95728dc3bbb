# What is built from what. A program is its main.c, what stands beside it, and rooms of common/; a room uses only those below it.

PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^.define TC_VERSION "\(.*\)"/\1/p' common/process/version.h)
# GCC 12 takes a variable of which only the address is passed for one that nobody writes, and puts it where nobody can, if
# constants go from function to function in its link-time optimization: tests/unit/arrivals.c ended so.
CFLAGS ?= $(if $(SANITIZE),-O1 -g,-O3 -flto=auto -fno-ipa-cp)
# Files of any size on 32-bit machines too. What a table doesn't name is 0: clang's -Wextra wants it said.
override CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icommon
override CFLAGS += -std=gnu11 -Wall -Wextra -Wno-missing-field-initializers
# SANITIZE=address,undefined: everything with the compiler's checks in it; what they find ends the program.
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif
# PORTABLE=1: nothing that Linux alone has (common/support/portable.h); so it is on any other system.
ifneq ($(shell uname),Linux)
PORTABLE = 1
endif
ifneq ($(PORTABLE),)
override CPPFLAGS += -U__linux__
export PORTABLE
endif
# Debian's compiler finds all headers and libraries where they are; elsewhere pkg-config is asked.
ifeq ($(wildcard /etc/debian_version),)
known := libpcap libarchive jansson openblas libmd libdeflate libxxhash
override CPPFLAGS := $(CPPFLAGS) $(foreach l,$(known),$(shell pkg-config --cflags-only-I $(l) 2>/dev/null))
override LDFLAGS := $(LDFLAGS) $(foreach l,$(known),$(shell pkg-config --libs-only-L $(l) 2>/dev/null))
endif
# The library's name where it isn't libopenblas.so.0; it is loaded as the program begins.
ifneq ($(OPENBLAS),)
override CPPFLAGS += -DOPENBLAS='"$(OPENBLAS)"'
endif

# Debian packages: to build and run the demo.
BUILD_PACKAGES = gcc libc6-dev libpcap-dev libmsgpack-dev libarchive-dev $(if $(PORTABLE),,libseccomp-dev) libjansson-dev libopenblas-dev libmd-dev libdeflate-dev libxxhash-dev
WEIGHTS = weights/default.tcw
MODEL = weights/default.tcg
TOOLS = tc-lift tc-enc tc-dec tc-compile tc-diff tc-train tc-gen tc-edit tc-show
PAGES = tracecodec.7 tc-metrics.7 tc-latents.5 tc-records.5 tc-weights.5 $(TOOLS:=.1)

all: $(TOOLS:%=bin/%)

# Rooms, from the lowest up.
room = $(patsubst %,build/common/$(1)/%.o,$(2))
support = $(call room,support,normal)
process = $(call room,process,io outfile files kind confine progress map moment jobs filter)
record = $(call room,record,action action_msgpack stream latent traces)
packet = $(call room,packet,address checksum link arp ip tcp udp sctp icmp faults packet)
capture = $(call room,packet,capture pcapng blocks) $(call room,process,input unpack)
state = $(call room,state,slots flow datagram cue cue_link cue_ip cue_tcp cue_icmp trace) $(packet)
code = $(call room,code,bits forms code names when)
neural = $(call room,neural,octets linear product straight network autoencoder loss layout weights) $(code) $(support)
codec = $(call room,codec,cache idle refine analysis encode decode) $(neural)
stream = $(record) $(process)

# Programs. tc-diff has Zeek's and Wireshark's rules, what is measured, and what is said of it, in words and as a page.
diff = source sketch analysis conn fragments reservoir forest c2st parts measure generated metrics words verdict report json \
	html svg curves plots markup define
# tc-gen learns and generates; what a model is stands between the two.
generate = corpus upcoming field counts vocabulary tokens dialogue succession network learn present steer model parts_vocabulary parts_present \
	parts_weights shares connection legal draw flows schedule people quotes messages openings generate
tool = $(patsubst %,build/$(1)/%.o,main $(2))
bin/tc-lift: $(call tool,tc-lift) $(capture) $(state) $(stream)
bin/tc-compile: $(call tool,tc-compile) $(capture) $(state) $(stream)
bin/tc-diff: $(call tool,tc-diff,$(diff)) $(capture) $(state) $(stream)
bin/tc-enc: $(call tool,tc-enc) $(codec) $(stream)
bin/tc-dec: $(call tool,tc-dec) $(codec) $(stream)
bin/tc-train: $(call tool,tc-train,train init dataset about) $(neural) $(stream)
bin/tc-gen: $(call tool,tc-gen,$(generate)) \
	$(call room,neural,octets linear product) $(support) $(state) $(stream)
bin/tc-edit: $(call tool,tc-edit,edit source plain select pace scan share spool sink) $(capture) $(state) $(stream)
bin/tc-show: $(call tool,tc-show,json lines) $(stream)

# msgpack-c has another name since its version 6.
LDLIBS := $(or $(shell pkg-config --libs msgpack-c 2>/dev/null),-lmsgpackc) -ldeflate $(if $(PORTABLE),,-lseccomp)
bin/tc-lift bin/tc-compile bin/tc-diff bin/tc-edit: LDLIBS += -lpcap -larchive
bin/tc-diff: LDLIBS += -lm
bin/tc-enc bin/tc-dec bin/tc-train bin/tc-gen: LDLIBS += -lm -lmd -ldl
bin/tc-train: LDLIBS += -lpthread
bin/tc-diff bin/tc-show: LDLIBS += -ljansson

# Link-time optimization makes these a sixth faster, the others hardly at all, and takes longer than all that is compiled.
optimized = bin/tc-lift bin/tc-compile bin/tc-dec
ifneq ($(findstring -flto,$(CFLAGS)),)
override CFLAGS += -ffat-lto-objects
plainly = $(if $(filter $@,$(optimized)),,-fno-lto)
endif
$(TOOLS:%=bin/%):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(plainly) -o $@ $^ $(LDLIBS)

# The loops between the matrix products, and those over latents, want the vectorizer; the weights stand in the programs.
build/common/code/%.o build/common/neural/%.o build/common/support/%.o build/common/record/latent.o build/tc-train/%.o \
	build/tc-gen/%.o: override CFLAGS += -O3 -fno-math-errno
# What is drawn, and what a latent is, depends on each bit of a sum.
build/common/neural/%.o build/common/codec/%.o: override CFLAGS += -ffp-contract=off
build/common/neural/product.o: override CFLAGS += -fno-lto
build/tc-gen/shares.o build/tc-gen/draw.o build/tc-gen/dialogue.o: override CFLAGS += -ffp-contract=off -fno-lto
build/common/neural/weights.o: override CPPFLAGS += -DWEIGHTS_FILE=$(WEIGHTS)
build/common/neural/weights.o: $(WEIGHTS)
build/tc-gen/model.o: override CPPFLAGS += -DMODEL_FILE=$(MODEL)
build/tc-gen/model.o: $(MODEL)
# Past 2038 on 32-bit machines too; not where libpcap's structs are, whose times are as the system has them.
build/tc-compile/main.o build/common/record/%.o build/common/process/%.o: override CPPFLAGS += -D_TIME_BITS=64

build/%.o: %.c Makefile build/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What objects are made with: where that changes, all are made anew, so that no two ways ever mix.
flags := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
build/flags: always
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' >$@

-include $(wildcard build/*/*.d build/*/*/*.d build/fuzz/*/*/*.d)

# What is installed, and in which folder below PREFIX; uninstall removes the same.
FILES = $(TOOLS:%=bin/%:bin) $(foreach page,$(PAGES),man/$(page):share/man/man$(lastword $(subst ., ,$(page)))) \
	$(patsubst %,%:share/doc/tracecodec,README.md CHANGELOG.md SECURITY.md LICENSE) \
	$(patsubst %,%:share/doc/tracecodec/examples,tests/demo.sh tests/fixtures/sample.pcap $(wildcard examples/*.*)) \
	share/report.png:share/doc/tracecodec/share $(patsubst %,share/%.schema.json:share/tracecodec,show diff)
# Where shells look for completions; Debian's zsh looks elsewhere.
BASH_COMPLETIONS = share/bash-completion/completions
ZSH_COMPLETIONS = share/zsh/site-functions
FISH_COMPLETIONS = share/fish/vendor_completions.d
completions = $(TOOLS:%=build/completions/bash/%) $(TOOLS:%=build/completions/zsh/_%) $(TOOLS:%=build/completions/fish/%.fish)
FILES += $(patsubst %,%:$(BASH_COMPLETIONS),$(filter build/completions/bash/%,$(completions))) \
	$(patsubst %,%:$(ZSH_COMPLETIONS),$(filter build/completions/zsh/%,$(completions))) \
	$(patsubst %,%:$(FISH_COMPLETIONS),$(filter build/completions/fish/%,$(completions)))
OWN = share/doc/tracecodec/examples share/doc/tracecodec/share share/doc/tracecodec share/tracecodec

install: all $(completions)
	@set -e; for f in $(FILES); do \
		to=$(DESTDIR)$(PREFIX)/$${f#*:} f=$${f%%:*} mode=644; \
		[ ! -x $$f ] || mode=755; \
		install -d $$to; \
		install -m $$mode $$f $$to; \
	done

uninstall:
	@for f in $(FILES); do to=$${f#*:} f=$${f%%:*}; rm -f $(DESTDIR)$(PREFIX)/$$to/$${f##*/}; done
	@for d in $(OWN); do rmdir $(DESTDIR)$(PREFIX)/$$d 2>/dev/null || true; done

# Made of each program's --help, so that no option can be forgotten.
completions: $(completions)
build/completions/bash/%: bin/% share/completions.awk; $(call complete,bash)
build/completions/zsh/_%: bin/% share/completions.awk; $(call complete,zsh)
build/completions/fish/%.fish: bin/% share/completions.awk; $(call complete,fish)
define complete
	@mkdir -p $(@D)
	@bin/$* --help | awk -v shell=$(1) -v tool=$* -f share/completions.awk >$@ || { rm -f $@; exit 1; }
endef

# What building needs: installs what is missing, or says what is where there is no apt.
need:
	@tests/need.sh $(BUILD_PACKAGES)

# What a newcomer runs first: installs what is missing, builds, lifts and compiles the sample.
demo: need
	@$(MAKE) --no-print-directory all
	@PATH=$(CURDIR)/bin:$$PATH tests/demo.sh tests/fixtures/sample.pcap build/demo

# The sources as of the last commit; the same octets each time.
dist:
	@mkdir -p build
	@git diff --quiet HEAD || echo "dist: what is not committed is not in it" >&2
	git archive --format=tar --prefix=tracecodec-$(VERSION)/ HEAD | gzip -9n >build/tracecodec-$(VERSION).tar.gz

# Debian packages of the last commit, in build/deb.
DEB_PACKAGES = dpkg-dev debhelper dh-python
deb: dist
	@tests/need.sh $(BUILD_PACKAGES) $(DEB_PACKAGES)
	rm -rf build/deb && mkdir build/deb
	tar -C build/deb -xf build/tracecodec-$(VERSION).tar.gz
	cd build/deb/tracecodec-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc
	@ls build/deb/*.deb

clean:
	rm -rf bin build

.PHONY: all always completions install uninstall need demo dist deb clean

# Tests, judges, fuzzing, measuring.
include tests/rules.mk
