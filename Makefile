# What is built from what: the lines below "Programs" are the architecture. A program is its own
# main.c with rooms of common/: packet (what captures know) and record (the stream between them).

# GCC 12 takes a variable of which only the address is passed for one that nobody writes, and puts it where nobody can, if
# constants go from function to function in its link-time optimization: tests/unit/arrivals.c ended so.
CFLAGS ?= $(if $(SANITIZE),-O1 -g,-O3 -g -flto=auto -fno-ipa-cp)
PREFIX ?= /usr/local
# Files of any size on 32-bit machines too. What a table doesn't name is 0: clang's -Wextra wants it said.
override CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icommon
override CFLAGS += -std=gnu11 -Wall -Wextra -Wno-missing-field-initializers
# SANITIZE=address,undefined: everything with the compiler's checks in it; what they find ends the program.
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

# Debian packages: to build and run the demo; to pass the tests besides.
BUILD_PACKAGES = gcc libc6-dev libpcap-dev libmsgpack-dev libjansson-dev libopenblas-dev libmd-dev libdeflate-dev libxxhash-dev
CHECK_PACKAGES = bats python3 python3-msgpack jq tshark tcpdump mandoc iproute2 parallel openssh-server openssh-client rsync procps
FUZZ_PACKAGES = clang-14 libclang-rt-14-dev
CONNTRACK_PACKAGES = nftables tcpreplay tshark iproute2 python3
SCALE_PACKAGES = parallel openssh-server openssh-client rsync procps iproute2 tcpdump tcpreplay python3 python3-msgpack
DETERMINISM_PACKAGES = clang gcc-aarch64-linux-gnu gcc-s390x-linux-gnu mmdebstrap qemu-user python3

WEIGHTS = weights/default.tcw
TOOLS = tc-lift tc-enc tc-dec tc-compile tc-diff tc-train tc-show
PAGES = tc.7 tc-metrics.7 tc-latents.5 tc-records.5 tc-weights.5 tc-lift.1 tc-enc.1 tc-dec.1 tc-compile.1 tc-diff.1 tc-train.1 tc-show.1
TESTS = identity units neural scramble mutations conn analysis big confine arrivals

objects = $(patsubst %,build/common/%.o,$(1))
record = $(call objects,$(addprefix record/,io outfile confine progress action stream latent map filter))
layers = $(call objects,$(addprefix packet/,address checksum link ip tcp icmp packet slots))
state = $(call objects,$(addprefix packet/,flow sound cue cue_link cue_ip cue_tcp cue_icmp trace))
analysis = $(call objects,$(addprefix packet/,analysis conn))
capture = $(call objects,packet/capture)
neural = $(call objects,$(addprefix neural/,linear straight network decision bits normal walk code time_code again context manner recency weights))
codec = $(call objects,neural/cache) $(neural)

all: $(TOOLS:%=bin/%)

# Programs
bin/tc-lift: build/tc-lift/main.o $(capture) $(state) $(layers) $(record)
bin/tc-compile: build/tc-compile/main.o $(capture) $(state) $(layers) $(record)
bin/tc-diff: $(patsubst %,build/tc-diff/%.o,main source sketch measure metrics report) \
	$(analysis) $(capture) $(state) $(layers) $(record)
bin/tc-enc: $(patsubst %,build/tc-enc/%.o,main encode times silence refine) $(codec) $(record)
bin/tc-dec: $(patsubst %,build/tc-dec/%.o,main decode) $(codec) $(record)
bin/tc-train: $(patsubst %,build/tc-train/%.o,main train first dataset) $(neural) $(record)
bin/tc-show: build/tc-show/main.o build/tc-show/json.o build/tc-show/lines.o $(record)
build/tests/identity: build/tests/unit/identity.o $(capture) $(layers) $(record)
build/tests/conn build/tests/analysis: build/tests/%: build/tests/unit/%.o \
	$(analysis) $(capture) $(state) $(layers) $(record)
build/tests/units: build/tests/unit/units.o $(state) $(layers) $(record)
build/tests/neural: build/tests/unit/neural.o build/tests/unit/vary.o build/tc-train/first.o $(codec) $(record)
build/tests/scramble: build/tests/unit/scramble.o build/tests/unit/vary.o $(record)
build/tests/arrivals: build/tests/unit/arrivals.o $(capture) $(layers) $(record)
build/tests/big: $(patsubst %,build/tests/unit/%.o,big disguise names) $(capture) $(layers) $(record)
# Programs as functions have their own words for the caller, and give nothing up.
within = $(filter-out $(call objects,record/filter record/confine),$(record))
build/tests/mutations: $(patsubst %,build/tests/fuzz/%.o,mutations program check filter_within lift_main compile_main dec_main) \
	build/tests/unit/vary.o build/tc-dec/decode.o $(capture) $(state) $(layers) $(codec) $(within)
build/tests/fuzz/%.o: override CPPFLAGS += -I.

# What is fuzzed: all of it in each target, the programs' loops as functions. Its objects are clang's, beside the others.
FUZZ_CC = clang-14
FUZZ_FLAGS = -std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-DTRACE_CAP=256 -DSTREAM_CAP_MAX=1024
FUZZ = lift records weights compile codec diff
fuzzed = $(patsubst build/%,build/fuzz/%,$(patsubst %,build/tests/fuzz/%.o,program check filter_within lift_main compile_main \
	enc_main dec_main diff_main) build/tc-dec/decode.o $(patsubst %,build/tc-enc/%.o,encode times silence refine) \
	$(patsubst %,build/tc-diff/%.o,source sketch measure metrics report) \
	$(analysis) $(capture) $(state) $(layers) $(codec) $(within))
build/fuzz/records build/fuzz/compile build/fuzz/codec: build/fuzz/tests/fuzz/mutate.o build/fuzz/tests/unit/vary.o
build/fuzz/%: build/fuzz/tests/fuzz/%.o $(fuzzed)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lmsgpackc -ldeflate -lpcap -lmd -lm -ldl
build/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) -I. $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
build/fuzz/common/neural/weights.o: override CPPFLAGS += -DWEIGHTS_FILE=$(WEIGHTS)
build/fuzz/common/neural/weights.o: $(WEIGHTS)
# Loops over numbers: nothing in them to be guessed.
build/fuzz/tc-diff/sketch.o build/fuzz/tc-diff/metrics.o: FUZZ_FLAGS += -fno-sanitize-coverage=trace-cmp
.SECONDARY: $(fuzzed) $(FUZZ:%=build/fuzz/tests/fuzz/%.o)

LDLIBS = -lmsgpackc -ldeflate
bin/tc-lift bin/tc-compile bin/tc-diff $(addprefix build/tests/,identity mutations conn analysis big arrivals): LDLIBS += -lpcap
bin/tc-diff bin/tc-enc bin/tc-dec bin/tc-train build/tests/neural build/tests/mutations: LDLIBS += -lm
bin/tc-enc bin/tc-dec bin/tc-train build/tests/neural build/tests/mutations: LDLIBS += -lmd -ldl
bin/tc-train: LDLIBS += -lpthread
bin/tc-show: LDLIBS += -ljansson

$(TOOLS:%=bin/%) $(patsubst %,build/tests/%,$(filter-out confine,$(TESTS))):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Never with a sanitizer, which can't be confined.
build/tests/confine: tests/unit/confine.c common/record/confine.c common/record/confine.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 -Wall -Wextra -O2 -o $@ $(filter %.c,$^) -lpthread

# The loops between the matrix products, and those over latents, want the vectorizer; the weights stand in the programs.
build/common/neural/%.o build/common/record/latent.o build/tc-train/%.o: override CFLAGS += -O3 -fno-math-errno
build/common/neural/weights.o: override CPPFLAGS += -DWEIGHTS_FILE=$(WEIGHTS)
build/common/neural/weights.o: $(WEIGHTS)
# Past 2038 on 32-bit machines too; not where libpcap's structs are, whose times are as the system has them.
build/tc-compile/main.o build/common/record/%.o: override CPPFLAGS += -D_TIME_BITS=64

build/%.o: %.c Makefile build/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What objects are made with: where that changes, all are made anew, so that no two ways ever mix.
flags := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
build/flags: always
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' >$@

-include $(wildcard build/*/*.d build/*/*/*.d build/fuzz/*/*/*.d)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(addprefix $(DESTDIR)$(PREFIX)/share/man/man,1 5 7)
	install $(TOOLS:%=bin/%) $(DESTDIR)$(PREFIX)/bin
	for page in $(PAGES); do \
		install -m 644 man/$$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} || exit; \
	done

# What a newcomer runs first: installs what is missing, builds, lifts and compiles the sample.
demo:
	@tests/need.sh $(BUILD_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/demo.sh

# All tests; the last line counts them.
check:
	@tests/need.sh $(BUILD_PACKAGES) $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory all $(TESTS:%=build/tests/%)
	@tests/check.sh

# The fuzz targets, or TARGET alone, for so many SECONDS each, seeded with the fixtures and the captures below CAPTURES.
TARGET = $(FUZZ)
fuzz:
	@tests/need.sh $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory all $(TARGET:%=build/fuzz/%)
	@tests/fuzz/run.sh "$(SECONDS)" "$(CAPTURES)" $(TARGET)

# N mutations of streams, weights and captures.
check-mutations: N = 100000
check-mutations: build/tests/mutations
	@build/tests/mutations $(N) $${SEED:-$$(date +%s)} tests/fixtures/edge/*.pcap

# What needs root and time: a batch of N captures on two hosts, one of which dies; a replay of 100,000 packets a second.
check-scale:
	@tests/need.sh $(BUILD_PACKAGES) $(SCALE_PACKAGES)
	@$(MAKE) --no-print-directory all build/tests/big build/tests/arrivals
	@tests/machines.sh $(or $(N),300)
	@tests/live.py $(LIVE)

# The same octets from each compiler, level and machine, for the fixtures and the captures below DIR.
check-determinism:
	@tests/need.sh $(BUILD_PACKAGES) $(DETERMINISM_PACKAGES)
	@$(MAKE) --no-print-directory all
	@LIBRARIES="$(filter lib%,$(BUILD_PACKAGES))" tests/determinism.sh $(DIR)

# The identity over a folder of captures, and the same judged by tshark.
check-captures: all build/tests/identity
	@tests/check-captures.sh $(DIR)
judge: all
	@tests/judge.py --folder $(DIR)

# The same judged by the kernel: conntrack calls no packet invalid that it did not in the capture itself. Needs root.
check-conntrack:
	@tests/need.sh $(BUILD_PACKAGES) $(CONNTRACK_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/conntrack.py $(DIR)

# What the codec makes of a folder of captures: exactness, rate, tc-diff's distances.
fidelity: all
	@tests/fidelity.py $(DIR)

# All captures of a folder through the programs as one batch, as tc(7) has it, and a table of what became of them.
batch: all
	@tests/batch.py $(DIR) $(OUT) $(JOBS)

# The default weights anew, from captures below DIR: as weights/README.md tells.
weights: all build/tests/big
	@weights/make.sh $(DIR)

# The codec without one origin in turn, and without some of its parts; trained for it on the captures below TRAIN.
origins: all build/tests/big
	@tests/origins.py $(MANIFEST) $(TRAIN) $(DIR)
ablation: all build/tests/big
	@tests/ablation.py $(TRAIN) $(DIR)

# A trace of N packets in the file OUT, made of the captures below DIR.
big: all build/tests/big
	@tests/big.sh $(N) $(DIR) $(OUT)

# Speeds as ratios to tcpdump's, in one run: the sample, or the captures of DIR joined. With BIG=1000000,10000000 each
# program on traces of so many packets, made of DIR.
bench: all build/tests/big
	@tests/bench.py $(DIR) $(if $(BIG),--big $(BIG))

clean:
	rm -rf bin build

.PHONY: all always install demo check fuzz check-mutations check-scale check-determinism check-captures judge check-conntrack fidelity \
	batch weights origins ablation big bench clean
