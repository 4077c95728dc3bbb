"""What others say of packets that were made: tshark, whether they are malformed; the kernel, whether they are INVALID."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import conntrack  # noqa: E402
import judge  # noqa: E402


def malformed(path, first=0):
    """How many packets behind the first ones tshark calls malformed, by the layers that tests/judge.py looks at."""
    if not os.environ.get('WIRESHARK_CONFIG_DIR'):
        folder = tempfile.mkdtemp()
        judge.private_profile(folder)
    p = subprocess.run(['tshark', '-n', '-r', path, '-Y', '_ws.malformed', '-T', 'fields', '-e', 'frame.number'],
                       capture_output=True, text=True)
    return sum(int(n) > first for n in p.stdout.split())


def kernel():
    """Whether the kernel can be asked; else why not."""
    if os.geteuid():
        return 'needs root'
    missing = [name for name in ('nft', 'tcpreplay', 'editcap', 'unshare', 'taskset') if not shutil.which(name)]
    if missing:
        return f'{", ".join(missing)}: not there'
    if subprocess.run(['unshare', '--net', 'nft', 'list', 'tables'], capture_output=True).returncode:
        return 'no network namespaces with nftables'
    return None


def invalid(path, mend):
    """Packets that conntrack saw and those that it calls INVALID; None where it can't be asked. mend: with right
    checksums, which raw fields don't have."""
    if kernel():
        return None
    core = sorted(os.sched_getaffinity(0))[os.getpid() % len(os.sched_getaffinity(0))]
    with tempfile.TemporaryDirectory() as folder:
        ready = os.path.join(folder, 'ready.pcap')
        conntrack.to_router(path, ready, mend)
        try:
            counters = conntrack.judged(ready, core)
        except conntrack.Trouble:
            return None
    return {'seen': conntrack.seen(counters, 'tcp') + conntrack.seen(counters, 'other'),
            'invalid': counters['tcp_invalid'] + counters['other_invalid']}


def complaints(path, before=None, mend=False):
    """Of a capture; of what is behind another one that it begins with, if that is given. Shares of its packets."""
    first = packets(before) if before else 0
    count = packets(path) - first
    found, known = invalid(path, mend), invalid(before, mend) if before else {'seen': 0, 'invalid': 0}
    out = {'packets': count, 'malformed': malformed(path, first) / max(1, count), 'invalid': None, 'reached': None}
    if found and known:
        seen = found['seen'] - known['seen']
        out['reached'] = seen / max(1, count)
        out['invalid'] = max(0, found['invalid'] - known['invalid']) / max(1, seen)
    return out


def packets(path):
    with open(path, 'rb') as f:
        octets = f.read()
    n, at = 0, 24
    while at < len(octets):
        n, at = n + 1, at + 16 + int.from_bytes(octets[at + 8:at + 12], 'little')
    return n
