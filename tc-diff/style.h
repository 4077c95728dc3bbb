/*
 * The page's style. Colours are Okabe and Ito's blue and vermilion, which colour-blind people tell apart, lighter ones on a
 * dark screen; what is B's is dashed or hatched besides. Text in plots is 12 px where a plot is as wide as it was drawn.
 */
static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--box:#f6f8fa;--text:#1b1f24;--dim:#59636e;--line:#d0d7de;--a:#0069a8;--b:#c14600}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--page:#14171c;--box:#1c2128;--text:#e6e8eb;--dim:#a3acb6;"
    "--line:#3d444d;--a:#62b4ee;--b:#f0a044}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1360px;padding:16px;background:var(--page);color:var(--text);"
    "font:15px/1.45 system-ui,sans-serif;overflow-wrap:break-word}bdi{overflow-wrap:anywhere}\n"
    "h1{font-size:24px;margin:0 0 12px;line-height:1.2}h2{font-size:19px;margin:32px 0 8px}h3{font-size:15px;margin:12px 0 4px}\n"
    "p{margin:4px 0;max-width:70em}ul{margin:4px 0;padding-left:20px}.dim{color:var(--dim)}\n"
    ".verdict{border:1px solid var(--line);border-left:6px solid var(--a);background:var(--box);padding:12px 16px}\n"
    ".verdict.differs{border-left-color:var(--b)}.verdict .answer{font-size:19px;font-weight:600;margin:0 0 4px}\n"
    ".verdict li{margin:2px 0}.verdict h3{text-transform:capitalize}\n"
    ".plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));align-items:start}\n"
    "figure{margin:0;min-width:0;max-width:440px;break-inside:avoid}figcaption{font-weight:600;margin-bottom:4px}"
    "figcaption::first-letter{text-transform:uppercase}figure p{font-size:13px}\n"
    "svg{display:block;width:100%;height:auto;print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
    "svg text{font:12px system-ui,sans-serif;fill:var(--text);stroke:var(--page);stroke-width:3px;paint-order:stroke}svg text.sign{stroke:none}svg text.dim{fill:var(--dim)}"
    "text.s{text-anchor:start}text.m{text-anchor:middle}text.e{text-anchor:end}svg text.sign{font-weight:700}\n"
    "path{fill:none}.grid{stroke:var(--line);stroke-width:.6}.axis,.frame{stroke:var(--dim)}.one{stroke:var(--text);stroke-width:2}\n"
    ".curve{stroke-width:1.8}.curve.a{stroke:var(--a)}.curve.b{stroke:var(--b);stroke-dasharray:6 3}\n"
    "rect.a{fill:var(--a)}rect.b{fill:var(--b)}rect.bar{fill:url(#hatch);stroke:var(--b);stroke-width:.8}#hatch path{stroke:var(--b);stroke-width:2}\n"
    "rect.track{fill:var(--box)}rect.within{fill:var(--dim)}rect.out{fill:var(--b)}.patterns{position:absolute;width:0;height:0}\n"
    ".scroll{overflow-x:auto;max-width:100%}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{border-bottom:1px solid var(--line);padding:4px 12px 4px 0;text-align:left;vertical-align:top}"
    "th{font-weight:600}td.n,th.n{text-align:right;white-space:nowrap}\n"
    ".all{font-size:13px;min-width:960px}.all td:first-child{white-space:nowrap}tr.group th{padding-top:14px;text-transform:capitalize}tr.out td:first-child{font-weight:600}\n"
    "dl{margin:4px 0;font-size:13px}dt{font-weight:600}dd{margin:0 0 4px 16px}footer{margin-top:32px;border-top:1px solid var(--line);padding-top:8px}\n"
    "@media print{body{max-width:none;padding:0;font-size:10.5pt}.plots{grid-template-columns:repeat(2,1fr)}"
    ".scroll{overflow:visible}.all{min-width:0;font-size:7.5pt}.all th,.all td{padding-right:5px}.all td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:13em}h2,h3{break-after:avoid}tr{break-inside:avoid}}\n";
