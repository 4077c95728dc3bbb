#!/usr/bin/env python3
"""legal_generated.py CAPTURE... [--model FILE] [-n N] [--seeds 1,2]: is generated traffic legal by other judges than ours?

tc-gen learns each capture, or FILE is its model, and generates as many packets, with each seed. Of what was learned and of
what was generated, both compiled, come

  the share of packets that Linux conntrack calls INVALID, as tests/conntrack.py has it, TCP and other ones apart;
  the packets that tshark calls malformed in the layers that actions are about: link, IP, TCP, UDP, ICMP, ARP. Nobody asks
  it about what stands above: payloads are zeros, which are no message of most protocols.

Exit 1 where tshark finds anything in what was generated, or a larger share of it is INVALID, by more than twice the standard
deviation of such a share. 77 where there are no namespaces.
"""
import argparse
import math
import os
import subprocess
import sys
import tempfile

import conntrack

LAYERS = {'frame', 'eth', 'ethertype', 'sll', 'null', 'raw', 'vlan', 'llc', 'ip', 'ipv6', 'arp', 'tcp', 'udp', 'icmp', 'icmpv6',
          'ipv6.hopopts', 'ipv6.dstopts', 'ipv6.routing', 'ipv6.fraghdr', 'data', '_ws.malformed', '_ws.short'}


def run(command, *arguments):
    done = subprocess.run(['bash', '-c', f'set -o pipefail; PATH="$1:$PATH"; {command}', 'run', conntrack.BIN, *arguments],
                          capture_output=True, text=True)
    if done.returncode:
        raise conntrack.Trouble(f'{command}: {done.stderr.strip()}')
    return done.stdout


def only_layers(home):
    """A home in which tshark knows nothing above the layers."""
    names = subprocess.run(['tshark', '-G', 'protocols'], capture_output=True, text=True, check=True).stdout
    folder = os.path.join(home, '.config', 'wireshark')
    os.makedirs(folder)
    with open(os.path.join(folder, 'disabled_protos'), 'w') as file:
        for line in names.splitlines():
            name = line.split('\t')[2]
            if name not in LAYERS:
                file.write(name + '\n')


def malformed(home, path):
    command = 'HOME="$2" tshark -n -o ip.defragment:FALSE -r "$3" -Y "_ws.malformed" -T fields -e frame.number 2>/dev/null'
    return len(run(command, home, path).split())


def judged(home, path):
    """Packets and INVALID ones, of TCP and of others; malformed ones."""
    with tempfile.NamedTemporaryFile(suffix='.pcap') as ready:
        conntrack.to_router(path, ready.name, False)
        c = conntrack.judged(ready.name, 0)
    return {kind: (conntrack.seen(c, kind), c[f'{kind}_invalid']) for kind in ('tcp', 'other')}, malformed(home, path)


def larger(learned, generated):
    """Whether the share of the second is larger than that of the first, by more than chance."""
    (n, k), (m, j) = learned, generated
    if not n or not m:
        return False
    p = (k + j) / (n + m)
    return j / m - k / n > 2 * math.sqrt(p * (1 - p) * (1 / n + 1 / m)) + 1e-12


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('captures', nargs='+', metavar='CAPTURE')
    parser.add_argument('--model', metavar='FILE')
    parser.add_argument('-n', type=int, metavar='N', help='packets (as many as were learned)')
    parser.add_argument('--seeds', default='1,2', metavar='N,...')
    options = parser.parse_args()
    if subprocess.run(['unshare', '--net', 'true'], stderr=subprocess.DEVNULL).returncode:
        print('legal_generated.py: network namespaces need root, and a kernel that has them', file=sys.stderr)
        return 77
    bad = 0
    print(f'{"TCP":>9} {"INVALID":>8} {"%":>8} {"other":>8} {"INVALID":>8} {"%":>8} {"malformed":>9}')
    with tempfile.TemporaryDirectory() as folder:
        only_layers(folder)
        image, model = os.path.join(folder, 'image.pcap'), options.model or os.path.join(folder, 'model')
        for path in options.captures:
            run('tc-lift -q "$2" | tc-compile -q --full >"$3"', path, image)
            learned = judged(folder, image)
            if not options.model:
                run('tc-lift -q "$2" | tc-gen -q --learn "$3"', path, model)
            rows = [('learned', *learned)]
            for seed in options.seeds.split(','):
                run('tc-gen -q --model "$2" --seed "$3" ${5:+-n $5} | tc-compile -q --strict --full >"$4"', model, seed, image,
                    str(options.n or ''))
                rows.append((f'seed {seed}', *judged(folder, image)))
            for name, counts, found in rows:
                wrong = name != 'learned' and (found > 0 or any(larger(learned[0][k], counts[k]) for k in counts))
                bad += wrong
                print(*(f'{n:9} {k:8} {100 * k / n if n else 0:8.4f}' for n, k in counts.values()), f'{found:9} ',
                      f'{os.path.basename(path)}, {name}' + wrong * ' WORSE')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
