#!/usr/bin/python3
"""storm.py INPUT COMMAND...: runs a filter as no machine would, and writes what it writes.

Its input comes in pieces of any length, its output goes through a pipe of one page to a reader that takes its time, and
all the while it gets signals: SIGUSR1, SIGSTOP and SIGCONT, hundreds a second; the second half of its input waits for
ENOUGH of them, however fast the machine is. On standard error stands what the filter says there, but for the lines that
SIGUSR1 asks for, and then how many signals it got.
"""
import fcntl
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

ENOUGH = 40


def pipe():
    ends = os.pipe()
    fcntl.fcntl(ends[1], 1031, 4096)  # F_SETPIPE_SZ
    return ends


def feed(data, out, enough):
    dice, view, half = random.Random(1), memoryview(data), len(data) // 2
    try:
        for part in view[:half], view[half:]:
            while part:
                part = part[os.write(out, part[:dice.choice((1, 7, 100, 5000, 20000))]):]
                time.sleep(0.0005)
            enough.wait()
    except BrokenPipeError:
        pass
    os.close(out)


def drain(source):
    dice = random.Random(2)
    while piece := os.read(source, dice.choice((1, 50, 4096))):
        sys.stdout.buffer.write(piece)
        time.sleep(0.0002)


def catches(pid, name):
    """Whether it is the program by now, and no shell, and knows SIGUSR1."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = f.read()
    caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.M)
    return f"Name:\t{name}\n" in status and caught and int(caught[1], 16) >> signal.SIGUSR1 - 1 & 1


def storm(process, name, enough):
    sent = 0
    while process.poll() is None:
        if catches(process.pid, name):
            for number in (signal.SIGUSR1, signal.SIGSTOP, signal.SIGUSR1, signal.SIGCONT):
                process.send_signal(number)
                sent += 1
                time.sleep(0.0005)
        if sent >= ENOUGH:
            enough.set()
    enough.set()
    return sent


def main():
    with open(sys.argv[1], "rb") as f:
        data = f.read()
    command = sys.argv[2:]
    (stdin, feeder), (source, stdout) = pipe(), pipe()
    with subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE) as process:
        os.close(stdin)
        os.close(stdout)
        said = []
        enough = threading.Event()
        threads = [threading.Thread(target=feed, args=(data, feeder, enough)), threading.Thread(target=drain, args=(source,)),
                   threading.Thread(target=lambda: said.extend(process.stderr))]
        for thread in threads:
            thread.start()
        sent = storm(process, os.path.basename(command[0]), enough)
        for thread in threads:
            thread.join()
    for line in said:
        if not re.search(rb"standard input: \d+ packets in ", line):
            sys.stderr.buffer.write(line)
    print(sent, "signals", file=sys.stderr)
    return process.returncode


sys.exit(main())
