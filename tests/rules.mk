# What is built and run to test, judge, fuzz and measure the programs; the Makefile has the programs themselves.

# Debian packages, besides those that build.
CHECK_PACKAGES = bats python3 python3-msgpack python3-numpy python3-venv python3-setuptools python3-wheel python3-jsonschema jq \
	zstd xz-utils lz4 bzip2 tshark tcpdump mandoc iproute2 parallel openssh-server openssh-client rsync procps zsh fish
FUZZ_PACKAGES = clang-14 libclang-rt-14-dev
C2ST_PACKAGES = python3-sklearn
LATENT_PACKAGES = python3-torch python3-numpy python3-msgpack
PAPER_PACKAGES = python3-torch python3-numpy python3-sklearn python3-msgpack tshark nftables tcpreplay iproute2 util-linux
CONNTRACK_PACKAGES = nftables tcpreplay tshark iproute2 python3
SCALE_PACKAGES = parallel openssh-server openssh-client rsync procps iproute2 tcpdump tcpreplay python3 python3-msgpack
REPORT_PACKAGES = chromium chromium-driver fonts-dejavu-core tidy libxml2-utils python3
DETERMINISM_PACKAGES = clang gcc-aarch64-linux-gnu gcc-s390x-linux-gnu mmdebstrap qemu-user python3
PACKAGE_PACKAGES = lintian mmdebstrap

TESTS = identity units wire neural gradient blocks scramble mutations conn analysis big arrivals $(if $(PORTABLE),,confine)

analysis = $(patsubst %,build/tc-diff/%.o,analysis conn)
measure = $(patsubst %,build/tc-diff/%.o,source sketch fragments reservoir parts measure) $(analysis)
build/tests/identity: build/tests/unit/identity.o $(capture) $(state) $(stream)
build/tests/conn build/tests/analysis: build/tests/%: build/tests/unit/%.o $(analysis) $(capture) $(state) $(stream)
build/tests/units: build/tests/unit/units.o $(state) $(stream)
build/tests/neural: build/tests/unit/neural.o build/tests/unit/vary.o build/tc-train/init.o $(codec) $(stream)
build/tests/gradient: build/tests/unit/gradient.o $(patsubst %,build/tc-gen/%.o,network field counts vocabulary tokens corpus upcoming) \
	$(call room,neural,linear) $(support) $(state) $(stream)
build/tests/blocks: build/tests/unit/blocks.o $(code) $(support) $(stream)
build/tests/scramble build/tests/wire: build/tests/%: build/tests/unit/%.o build/tests/unit/vary.o $(support) $(stream)
build/tests/arrivals: build/tests/unit/arrivals.o $(capture) $(state) $(stream)
build/tests/features: build/tests/unit/features.o $(measure) $(capture) $(state) $(stream)
build/tests/big: $(patsubst %,build/tests/unit/%.o,big disguise names) $(capture) $(state) $(stream)
# Programs as functions have their own words for the caller, and give nothing up.
within = $(filter-out $(call room,process,filter confine) $(call room,record,traces),$(stream))
build/tests/mutations: $(patsubst %,build/tests/fuzz/%.o,mutations program check filter_within lift_main compile_main dec_main) \
	build/tests/unit/vary.o $(capture) $(state) $(codec) $(within)
build/tests/%.o: override CPPFLAGS += -I.

$(addprefix build/tests/,identity mutations conn analysis big arrivals features): LDLIBS += -lpcap -larchive
build/tests/features: LDLIBS += -lm
build/tests/neural build/tests/gradient build/tests/mutations: LDLIBS += -lm -lmd -ldl
build/tests/scramble build/tests/wire build/tests/blocks: LDLIBS += -lm
$(patsubst %,build/tests/%,$(filter-out confine,$(TESTS)) features):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(plainly) -o $@ $^ $(LDLIBS)

# Never with a sanitizer, which can't be confined.
build/tests/confine: tests/unit/confine.c common/process/confine.c common/process/confine.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 -Wall -Wextra -O2 -o $@ $(filter %.c,$^) -lseccomp -lpthread

# What is fuzzed: all of it in each target, the programs' loops as functions. Its objects are clang's, beside the others.
FUZZ_CC = clang-14
FUZZ_FLAGS = -std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-DTRACE_CAP=256 -DSTREAM_CAP_MAX=1024
FUZZ = lift records weights compile codec diff
fuzzed = $(patsubst build/%,build/fuzz/%,$(patsubst %,build/tests/fuzz/%.o,program check filter_within lift_main compile_main \
	enc_main dec_main diff_main) $(patsubst %,build/tc-diff/%.o,$(filter-out analysis conn,$(diff))) \
	$(analysis) $(capture) $(state) $(codec) $(within))
build/fuzz/records build/fuzz/compile build/fuzz/codec: build/fuzz/tests/fuzz/mutate.o build/fuzz/tests/unit/vary.o
build/fuzz/%: build/fuzz/tests/fuzz/%.o $(fuzzed)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lmsgpackc -ldeflate -lpcap -larchive -ljansson -lmd -lm -ldl
build/fuzz/%.o: %.c Makefile tests/rules.mk
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) -I. $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
build/fuzz/common/neural/weights.o: override CPPFLAGS += -DWEIGHTS_FILE=$(WEIGHTS)
build/fuzz/common/neural/weights.o: $(WEIGHTS)
# Loops over numbers: nothing in them to be guessed.
build/fuzz/tc-diff/sketch.o build/fuzz/tc-diff/metrics.o: FUZZ_FLAGS += -fno-sanitize-coverage=trace-cmp
.SECONDARY: $(fuzzed) $(FUZZ:%=build/fuzz/tests/fuzz/%.o)

# All tests; the last line counts them.
check:
	@tests/need.sh $(BUILD_PACKAGES) $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory all completions $(TESTS:%=build/tests/%)
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

# tc-diff's classifier against scikit-learn's on the same flows: PAIRS of captures, else the sample and its distortions.
check-c2st:
	@tests/need.sh $(BUILD_PACKAGES) $(C2ST_PACKAGES)
	@$(MAKE) --no-print-directory all build/tests/features
	@tests/c2st.py --check $(PAIRS)

# The same judged by the kernel: conntrack calls no packet invalid that it did not in the capture itself. Needs root.
check-conntrack:
	@tests/need.sh $(BUILD_PACKAGES) $(CONNTRACK_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/conntrack.py $(DIR)

# Generated traffic judged by the kernel and by tshark, as what was learned of CAPTURES is; the sample if none are named. Needs
# root.
check-generated:
	@tests/need.sh $(BUILD_PACKAGES) $(CONNTRACK_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/legal_generated.py $(or $(CAPTURES),tests/fixtures/sample.pcap)

# The pages of tc-diff --html in a browser, light and dark, wide and narrow; screenshots in build/report.
check-report:
	@tests/need.sh $(BUILD_PACKAGES) $(REPORT_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/report/check.sh

# The verdict and the picture in the README, anew: in a browser.
picture:
	@tests/need.sh $(BUILD_PACKAGES) $(REPORT_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/report/picture.sh

# The Debian packages: lintian, a bare Debian (of SUITE, for which they are built there), names. Needs root, and the archive
# of Debian.
check-package: deb
	@tests/need.sh $(PACKAGE_PACKAGES)
	@tests/package.sh $(SUITE)

# What the codec makes of a folder of captures: exactness, rate, tc-diff's distances.
fidelity: all
	@tests/fidelity.py $(DIR)

# Whether latents are good to generate in: a generator that isn't the project's learns them, raw fields and shuffled latents,
# for so many SECONDS each, with these SEEDS, of the three largest captures of DIR that are long enough.
latent-generator: SECONDS = 60
latent-generator: SEEDS = 1,2,3
latent-generator:
	@tests/need.sh $(BUILD_PACKAGES) $(LATENT_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/paper/latent_generator.py $(DIR) --seconds $(SECONDS) --seeds $(SEEDS) $(if $(OUT),--json $(OUT))

# The tables and figures of the paper, as build/paper/paper.html and .json, of the captures of DIR (folders, files), else of
# the sample. QUICK=1: in minutes, to see that it runs. TRAIN: captures for the trainings of Table 5. tests/paper/README.md.
paper: OUT = build/paper$(if $(QUICK),-quick)
paper:
	@tests/need.sh $(BUILD_PACKAGES) $(PAPER_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/paper/paper.py $(or $(DIR),tests/fixtures/sample.pcap) --out $(OUT) $(if $(QUICK),--quick) $(if $(TRAIN),--train $(TRAIN))
	@tests/paper/page.py $(OUT)/paper.json $(OUT)/paper.html

# How near generated traffic comes to the last fifth of each large capture below DIR, the rest of which was learned: tc-gen, or
# COMMAND, as tests/generation.py has it, beside bootstraps; LIST: names of captures, in the place of all that are large;
# JSON: a file for the figures.
generation: all
	@tests/generation.py $(DIR) $(if $(LIST),--list $(LIST)) $(if $(COMMAND),--command '$(COMMAND)') $(if $(JSON),--json $(JSON))

# All captures of a folder through the programs as one batch, as tracecodec(7) has it, and a table of what became of them.
batch: all
	@tests/batch.py $(DIR) $(OUT) $(JOBS)

# The default weights anew, from captures below DIR: as weights/README.md tells.
weights: all
	@weights/make.sh $(DIR)

# The built-in model anew, from captures below DIR: as weights/README.md tells.
model: all
	@tests/need.sh tshark jq
	@weights/model.sh $(DIR)

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

.PHONY: check fuzz check-mutations check-scale check-determinism check-captures judge check-c2st check-conntrack check-generated \
	check-report picture check-package \
	fidelity latent-generator paper generation batch weights model origins ablation big bench
