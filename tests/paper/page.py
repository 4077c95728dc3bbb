#!/usr/bin/env python3
"""page.py PAPER.JSON [PAPER.HTML]: the page of paper.json; with a page, whether each of its numbers is as the JSON has it.

Each number has the place in the JSON that it comes from (data-json), and how it is written (data-as).
"""
import html
import json
import re
import sys

import svg

COLUMNS = (('TCP event, pp', 'tcp.event', 'spread'), ('packets, %', 'volume.packets', 'spread'),
           ('protocol, TV', 'mix.protocol', 'spread'), ('IAT, %', 'time.iat', 'spread'), ('flows, %', 'volume.flows', 'spread'),
           ('duration, %', 'time.duration', 'spread'), ('transition, row TV', 'transition.tv', 'spread'),
           ('switch rate', 'interleave.switch', 'spread'), ('mean run, %', 'interleave.run_mean', 'spread'),
           ('active flows, %', 'interleave.active', 'spread'), ('conn_state, TV', 'conn.state', 'spread'))
RUNS = '1', '2', '3–4', '5–8', '9–16', 'more'
STYLE = '''
:root{color-scheme:light dark;--back:#fff;--front:#1b1b1b;--soft:#666;--line:#d8d8d8;--mark:#1f5fa8}
@media (prefers-color-scheme:dark){:root{--back:#16181b;--front:#e6e6e6;--soft:#a0a0a0;--line:#3a3d42;--mark:#7db3ee}}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--back);color:var(--front);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25}h2{margin-top:2.5rem;font-size:1.2rem}h3{font-size:1rem}
p{max-width:46rem}.soft,figcaption{color:var(--soft);font-size:.875rem}
.scroll{overflow-x:auto;margin:0 0 1rem}.name{margin:1rem 0 .2rem}table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:first-child{text-align:left}thead th{vertical-align:bottom;white-space:normal;min-width:4.2rem}thead th:first-child{min-width:9rem}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.2rem}figure{margin:0;min-width:0}
svg{width:100%;height:auto;display:block}svg text{fill:var(--front);font:11px system-ui,sans-serif}
.heat,.mark{fill:var(--mark)}.none{fill:var(--line);fill-opacity:.35}.axis{stroke:var(--soft)}
'''


def number(x):
    if x is None:
        return '–'
    if isinstance(x, bool) or isinstance(x, str):
        return str(x)
    if isinstance(x, int) or x == int(x) and abs(x) < 1e6:
        return f'{int(x):,}'
    return f'{x:.3g}' if abs(x) < 1e3 else f'{x:,.0f}'


def written(value, how):
    """A value of the JSON as the page has it."""
    if value is None:
        return '–'
    if how == 'percent':
        return number(100 * value)
    if how == 'spread':
        return number(value['mean']) + (f' ± {number(value["sd"])}' if value.get('sd') is not None else '')
    if how == 'percents':
        return written({k: v and 100 * v for k, v in value.items() if k in ('mean', 'sd')}, 'spread')
    if how == 'interval':
        return f'{number(value["mean"])} ({number(value["low"])} to {number(value["high"])}); {number(value["worst"])}'
    if how == 'of':
        return f'{value["within"]} of {value.get("captures", value.get("runs"))}'
    if how == 'below':
        return f'{number(value["median"])}; {value["below"]} of {value["runs"]}'
    if how == 'sign':
        return f'{number(value["mean"])} ({number(value["p"])})' if value['n'] else '–'
    return number(value)


class Page:
    def __init__(self, found):
        self.found, self.out = found, []

    def at(self, place):
        value = self.found
        for key in place:
            value = value.get(key) if isinstance(value, dict) else value[key]
            if value is None:
                break
        return value

    def value(self, *place, how='number', tag='span'):
        return (f'<{tag} data-json="{html.escape(json.dumps(place, ensure_ascii=False))}" data-as="{how}">'
                f'{written(self.at(place), how)}</{tag}>')

    def say(self, *lines):
        self.out += lines

    def table(self, caption, columns, rows):
        """rows: a name and its place in the JSON; columns: a title, the key there, and how it is written."""
        self.say(f'<p class="soft name">{caption}</p>', '<div class="scroll"><table><thead><tr><th></th>',
                 *(f'<th>{html.escape(title)}</th>' for title, _, _ in columns), '</tr></thead><tbody>')
        for name, place in rows:
            self.say(f'<tr><th scope="row">{html.escape(name)}</th>',
                     *(self.value(*place, key, how=how, tag='td') if key else self.value(*place, how=how, tag='td')
                       for _, key, how in columns), '</tr>')
        self.say('</tbody></table></div>')

    def rows(self, *place):
        return [(name, (*place, name)) for name in self.at(place) or {}]


def opening(p):
    about = p.at(('about',))
    p.say('<h1>The tables of arXiv 2605.29941, measured</h1>',
          f'<p>{p.value("about", "measured")} of {p.value("about", "pieces")} pieces are measured, in '
          f'{p.value("about", "total")} s of processor time on {html.escape(about["machine"]["processor"])}. '
          'Every number below is in <code>paper.json</code>.</p>')
    if about['quick']:
        p.say('<p><strong>This is the quick form.</strong> It shows that everything runs. Trainings of a few seconds say little '
              'about what a method can do; the long form does.</p>')
    p.table('Captures that are learned from: the first four fifths. The last fifth is what is judged.',
            [('packets', 'packets', 'number'), ('of these judged', 'count', 'number'), ('flows judged', 'flows', 'number')],
            [(c['name'], ('about', 'captures', i)) for i, c in enumerate(about['captures'])])
    p.say('<p class="soft">Distances are tc-diff\'s, tc-metrics(7): 0 is no difference. ± is the standard deviation over three '
          'seeds of the means over captures; what has no seed has none. Whether the codec\'s weights were trained on these '
          'captures is for whoever runs this to know: those built in were not trained on the project\'s set dev.</p>')


def third(p):
    p.say('<h2>Table 3: reconstruction</h2>',
          '<p>Each packet through an autoencoder and back, rendered as it comes out; nothing is repaired. Autoencoders on raw '
          'header fields learned the first four fifths of the capture itself. The codec\'s weights did not.</p>')
    right = [('fields right, %', 'right', 'percents'), ('no packet, %', 'lost', 'percents'), ('whole, %', 'whole', 'percents'),
             ('patched, %', 'patched', 'percents'), ('nats', 'kl', 'spread')]
    p.table('The last fifth, which nothing learned', [*COLUMNS, *right], p.rows('table3', 'last'))
    p.table('The four fifths that the autoencoders on raw fields learned', [*COLUMNS, *right], p.rows('table3', 'learned'))
    p.table('The paper, CICIDS2017 Monday and MAWI: other captures, so these are no numbers to subtract. Its protocol column is in %.',
            [(t, k, 'number') for t, k, _ in COLUMNS[:7]], p.rows('paper', 'table3'))
    p.say(f'<p class="soft">Also in the paper: switch rate {p.value("paper", "else", "switch")} and mean run '
          f'{p.value("paper", "else", "run mean")}, real and decoded alike; raw fields '
          f'{p.value("paper", "else", "raw switch, least")} to {p.value("paper", "else", "raw switch, most")}; row TV of raw fields '
          f'{p.value("paper", "else", "raw row TV, least")} to {p.value("paper", "else", "raw row TV, most")}; '
          f'{p.value("paper", "else", "right actions", how="percent")} % of fields right at {p.value("paper", "else", "nats")} nats '
          f'a packet.</p>')
    better = better_than_paper(p.found)
    if better:
        p.say('<p>Better here than the paper says of them there: ' + html.escape('; '.join(better)) + '.</p>')
    if p.at(('codec', 'packets')):
        ways = [(name, ('codec', 'ways', name)) for name in p.at(('codec', 'ways'))]
        p.table(f'The codec on all captures: {p.value("codec", "captures")}, {p.value("codec", "packets")} packets; '
                f'{p.value("codec", "left out")} that can\'t be lifted or are empty left out. Mean (95 % of its bootstraps); worst capture.',
                [*((t, k, 'interval') for t, k, _ in COLUMNS[:7]), ('active flows, %', 'interleave.active', 'interval'),
                 ('whole, %', 'whole', 'percent'), ('patched, %', 'patched', 'percent'), ('nats', 'kl', 'number')], ways)


def better_than_paper(found):
    """Of the baselines: which metrics are lower on the last fifths than in the paper."""
    out = []
    for name in ('TVAE', 'TabSyn-VAE', 'TTVAE'):
        ours, theirs = found['table3']['last'].get(name, {}), found['paper']['table3'][f'{name}, raw fields']
        low = [t for t, k, _ in COLUMNS if k in theirs and k != 'mix.protocol' and ours.get(k, {}).get('mean') is not None
               and ours[k]['mean'] < theirs[k]]
        out += [f'{name} in {", ".join(t.split(",")[0] for t in low)}'] if low else []
    return out


def fourth(p):
    p.say('<h2>Table 4: one foreign generator, three descriptions of a packet</h2>',
          '<p>It learns the first four fifths and goes on with as many packets as the last fifth has. What tc-compile must change '
          'counts for actions alone: raw fields are written as drawn. conntrack sees the learned part first.</p>')
    if not any(r['invalid']['mean'] is not None for r in p.at(('table4',)).values()):
        p.say('<p>conntrack: not run. It needs root, network namespaces and nftables.</p>')
    p.table('Distances to the last fifth', [('draws usable, %', 'usable', 'percents'), ('changed, % of packets', 'changed', 'percents'),
            ('malformed (tshark), %', 'malformed', 'percents'), ('INVALID (conntrack), %', 'invalid', 'percents'),
            ('reached conntrack, %', 'reached', 'percents'), *COLUMNS], p.rows('table4'))


def fifth(p):
    s = p.at(('about', 'settings'))
    p.say('<h2>Table 5: what the parts are for</h2>',
          f'<p>The codec, trained anew for {p.value("about", "settings", "ablation")} steps without some part; tc-train\'s default '
          f'is 20,000. {len(s["ablation seeds"])} seed{"s" if len(s["ablation seeds"]) > 1 else ""}. Judged on the last fifths.</p>')
    columns = [('whole, %', 'whole', 'percents'), ('nats', 'kl', 'spread'), *COLUMNS]
    p.table('The bare network', columns, [(n, (*place, 'bare')) for n, place in p.rows('table5', 'trainings')])
    p.table('Refined and patched', [('patched, %', 'patched', 'percents'), *columns],
            [(n, (*place, 'default')) for n, place in p.rows('table5', 'trainings')])
    p.say('<p>The compiler\'s own share. Decoded raw fields are lifted; then the compiler makes a legal capture of them, saying '
          'less and less of it as they do: first all but what marks contradictions, then no sequence and acknowledgement numbers, '
          'then no flags either. Likewise of the real actions, without any network.</p>')
    columns = [('INVALID (conntrack), %', 'invalid', 'percents'), *COLUMNS]
    p.table('Distances of the last fifth', columns,
            [(f'{source}: {step}', (*place, step)) for source, place in p.rows('table5', 'shares') for step in sorted(p.at(place))])
    p.say(f'<p class="soft">The paper gives {p.value("paper", "else", "without cues, TCP event")} pp of TCP events without TCP state '
          'cues.</p>')


def compared(p):
    p.say('<h3>Tests</h3>', '<p>Could two traces be of the same traffic? Flows of both are exchanged at random, and blocks of 50 '
          'packets, 499 times: p is the share of exchanges that are at least as far apart as the two traces in their transitions, '
          'and in their switch rate. The least is 0.002. One test for each capture and seed, not corrected for their number.</p>')
    p.table('Against the last fifth: median p; runs below 0.05', [('transitions', 'transition', 'below'),
            ('switch rate', 'interleaving', 'below')], p.rows('tests', 'p'))
    p.table('Differences between rows, mean (p of a permutation of signs over captures and seeds). Three pairs can\'t be below 0.25.',
            [(t, k, 'sign') for t, k, _ in COLUMNS if k in next(iter(p.at(('tests', 'signs')).values()), {})], p.rows('tests', 'signs'))


def fourth_figure(p):
    names = {'real': 'the last fifth, real'}
    p.say('<h2>Figure 4: transitions of TCP events</h2>', '<p>Of the first capture and seed. → from the initiator, ← to it; rows are the '
          'event before, columns the one after; darker is a larger share of its row.</p><div class="grid">')
    for name, shown in p.at(('figures',)).items():
        p.say('<figure>', svg.matrix(shown['matrix'], f'Transitions: {name}'), f'<figcaption>{names.get(name, name)}</figcaption></figure>')
    p.say('</div>', '<h2>Figure 5: interleaving</h2>', '<p>Each packet\'s flow, flows in the order of their first packets; below, '
          'runs of packets of one flow by length.</p><div class="grid">')
    for name, shown in p.at(('figures',)).items():
        p.say('<figure>', svg.raster(shown['raster'], f'Flows of the first packets: {name}'),
              svg.bars(shown['runs'], RUNS, f'Runs by length: {name}'),
              f'<figcaption>{names.get(name, name)}: switch rate {p.value("figures", name, "switch")}, mean run '
              f'{p.value("figures", name, "run_mean")}</figcaption></figure>')
    p.say('</div>')


def falsifier(p):
    p.say('<h2>What would falsify it</h2>', '<p>On captures that nothing was trained on: decoded traces within 1 % of the real ones in '
          'the transition frequencies of TCP (row TV at most 0.01) and in active flows; generated ones within twice the natural '
          'distance, that of the block before the last fifth, taken as no less than 0.02 and 2 %.</p>')
    ways = [('within', None, 'of'), ('worst row TV', 'transition.tv', 'number'), ('worst active flows, %', 'interleave.active', 'number')]
    p.table('Decoded, all captures', ways, p.rows('falsifier', 'decoded'))
    means = [('row TV', 'transition.tv', 'spread'), ('active flows, %', 'interleave.active', 'spread')]
    p.table('Decoded, the last fifths; mean and standard deviation of all runs', [('within', None, 'of'), *means], p.rows('falsifier', 'last'))
    p.table('Generated: times natural, mean and standard deviation over captures. Baselines reconstruct, which is less to ask.',
            [('captures within twice', None, 'of'), *means], p.rows('falsifier', 'generated'))


def closing(p):
    p.say('<h2>How it was made</h2>')
    for name, place in p.rows('baselines'):
        p.say(f'<p>{name}: ' + ', '.join(f'{html.escape(k)} {p.value(*place, k)}' for k in p.at(place)) + '.</p>')
    p.table('What pieces took', [('pieces', 'pieces', 'number'), ('processor, s', 'processor', 'number'), ('clock, s', 'wall', 'number'),
            ('memory at most, octets', 'memory', 'number')], p.rows('about', 'spent'))


def page(found):
    p = Page(found)
    opening(p)
    for part in (third, fourth, fifth, compared, fourth_figure, falsifier, closing):
        part(p)
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>The paper, measured</title><style>{STYLE}</style></head><body>\n' + '\n'.join(p.out) + '\n</body></html>\n')


def wrong(text, found):
    """The places of the page that are not as the JSON has them, and how many there are."""
    p, bad, n = Page(found), [], 0
    for place, how, said in re.findall(r'data-json="([^"]*)" data-as="(\w+)">([^<]*)<', text):
        n, place = n + 1, json.loads(html.unescape(place))
        if written(p.at(place), how) != html.unescape(said):
            bad.append((place, said))
    return bad, n


def main():
    with open(sys.argv[1]) as f:
        found = json.load(f)
    if len(sys.argv) < 3:
        return sys.stdout.write(page(found)) and None
    with open(sys.argv[2]) as f:
        bad, n = wrong(f.read(), found)
    for place, said in bad:
        print(f'{place}: the page says {said}')
    print(f'{n} numbers, {len(bad)} not as in the JSON')
    return bool(bad) or not n


if __name__ == '__main__':
    sys.exit(main())
