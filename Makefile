CC ?= cc
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Icommon
CFLAGS += -std=gnu11 -Wall -Wextra

RECORD = io action stream map
PACKET = address packet link ip tcp icmp slots flow cue cue_link cue_ip cue_tcp cue_icmp trace capture

TOOLS = tc-lift tc-compile tc-show

all: $(TOOLS:%=bin/%)

record = $(RECORD:%=build/common/record/%.o)
packet = $(PACKET:%=build/common/packet/%.o)

bin/tc-lift bin/tc-compile: LDLIBS = -lpcap -lmsgpackc
bin/tc-show: LDLIBS = -lmsgpackc -ljansson
bin/tc-lift: build/tc-lift/main.o $(packet) $(record)
bin/tc-compile: build/tc-compile/main.o $(packet) $(record)

bin/tc-show: build/tc-show/main.o build/tc-show/json.o $(record)

$(TOOLS:%=bin/%):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find build -name '*.d' 2>/dev/null)

clean:
	rm -rf bin build
