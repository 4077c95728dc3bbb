"""Figures as SVG: matrices as heat maps, rasters of flows, bars. Colours are the page's."""
from html import escape

EVENTS = 'RST', 'SYN-ACK', 'SYN', 'FIN', 'DATA', 'ACK', 'other'


def svg(width, height, title, inside):
    return (f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f'{"".join(inside)}</svg>')


def text(x, y, said, anchor='end', turned=False):
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ''
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(said)}</text>'


def matrix(counts, title):
    """Rows: the event before; columns: the event after. The darker, the larger the share of the row."""
    left, top, side = 76, 76, 17
    names = [d + e for d in ('→ ', '← ') for e in EVENTS]
    out = []
    for i, (name, row) in enumerate(zip(names, counts)):
        out.append(text(left - 5, top + side * i + 12.5, name))
        out.append(text(left + side * i + 12.5, top - 5, name, 'start', True))
        total = sum(row)
        for j, n in enumerate(row):
            share = n / total if total else 0
            out.append(f'<rect x="{left + side * j}" y="{top + side * i}" width="{side - 1}" height="{side - 1}" '
                       + (f'class="heat" fill-opacity="{.06 + .94 * share:.3f}"' if n else 'class="none"')
                       + (f'><title>{escape(names[i])} then {escape(names[j])}: {n} of {total}</title></rect>' if n else '/>'))
    return svg(left + 14 * side + 4, top + 14 * side + 4, title, out)


def raster(order, title):
    """Packet by packet, from the left, the flow: by its first packet, from the top."""
    width, height, flows = 320, 150, max(order, default=0) + 1
    step, row = (width - 8) / max(1, len(order)), (height - 22) / flows
    size = max(1.2, min(step, row, 5))
    out = [f'<rect x="{4 + i * step:.1f}" y="{4 + f * row:.1f}" width="{max(step, 1):.2f}" height="{size:.2f}" class="mark"/>'
           for i, f in enumerate(order)]
    out.append(text(4, height - 4, f'{len(order)} packets', 'start'))
    out.append(text(width - 4, height - 4, f'{flows} flows'))
    return svg(width, height, title, out)


def bars(shares, names, title):
    """Shares of a whole, each with its name below."""
    width, height, base = 320, 110, 88
    step = (width - 8) / len(shares)
    out = [f'<line x1="4" x2="{width - 4}" y1="{base}" y2="{base}" class="axis"/>']
    for i, (share, name) in enumerate(zip(shares, names)):
        tall = (base - 20) * share
        out.append(f'<rect x="{4 + i * step + 4:.1f}" y="{base - tall:.1f}" width="{step - 8:.1f}" height="{tall:.1f}" class="mark"/>')
        out.append(text(4 + (i + .5) * step, base - tall - 4, f'{100 * share:.0f} %', 'middle'))
        out.append(text(4 + (i + .5) * step, height - 8, name, 'middle'))
    return svg(width, height, title, out)
