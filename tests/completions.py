#!/usr/bin/env python3
"""completions.py bash|zsh|fish FOLDER: the completions of FOLDER in the shell itself, in a terminal of its own. Behind each line
of standard input the tab key is pressed, and then the return key; prints the words that the shell then runs."""
import os
import pty
import select
import sys
import tempfile
import time

# What a function prints around its words: nothing that a shell echoes or that stands in a prompt.
MARK, END = '\x02', '\x03'

# How a shell begins, and what it reads first: functions stand for the programs.
SHELLS = {
    'bash': (['bash', '--norc', '--noprofile', '-i'], r'''
        bind 'set enable-bracketed-paste off'
        for f in FOLDER/*; do
            . "$f"
            eval "${f##*/}() { printf '\2'; printf '<%s>' \"\$@\"; printf '\3'; }"
        done'''),
    'zsh': (['zsh', '-f', '-i'], r'''
        fpath=(FOLDER $fpath)
        autoload -Uz compinit
        compinit -u -D
        for f in FOLDER/_*; do
            eval "${${f:t}#_}() { printf '\2'; printf '<%s>' \"\$@\"; printf '\3'; }"
        done'''),
    'fish': (['fish', '--no-config', '-i'], r'''
        for f in FOLDER/*.fish
            source $f
            eval "function "(basename $f .fish)"; printf '\2'; printf '<%s>' \$argv; printf '\3'; end"
        end'''),
}


class Shell:
    def __init__(self, name, folder, home):
        command, script = SHELLS[name]
        with open(home + '/begin', 'w') as f:
            f.write(script.replace('FOLDER', folder))
        self.said = ''
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, dict(PATH=os.environ['PATH'], HOME=home, TERM='xterm', LC_ALL='C.UTF-8'))
        self.run('. %s/begin; printf "\\2\\3"' % home)

    def run(self, keys):
        os.write(self.terminal, keys.encode())
        # Keys that come too fast are taken for pasted text by some.
        while self.listen(0.05):
            pass
        os.write(self.terminal, b'\r')
        until = time.monotonic() + 60
        while END not in self.said.partition(MARK)[2]:
            if time.monotonic() > until:
                sys.exit('completions.py: no answer to %r: %r' % (keys, self.said[-2000:]))
            self.listen(1)
        words, self.said = self.said.partition(MARK)[2].split(END, 1)
        return words

    def listen(self, seconds):
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        self.said += os.read(self.terminal, 65536).decode(errors='replace')
        return True


def main():
    with tempfile.TemporaryDirectory() as home:
        shell = Shell(sys.argv[1], os.path.abspath(sys.argv[2]), home)
        for line in sys.stdin:
            print(shell.run(line.rstrip('\n') + '\t'), flush=True)
        os.close(shell.terminal)
        os.kill(shell.pid, 9)
        os.waitpid(shell.pid, 0)


main()
