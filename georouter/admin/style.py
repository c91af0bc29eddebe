"""How the page at `/` looks, and the header that lets nothing else onto it."""

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--line:#dfe4ea;--paper:#f6f7f9;--card:#fff;
--up:#177245;--up-bg:#e2f4e9;--down:#b3261e;--down-bg:#fce4e2;--warn:#8a5a00;--warn-bg:#fdf0d5;
  --idle:#4a5565;--idle-bg:#e8ebef}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b4;--line:#2c333d;--paper:#14181e;
  --card:#1b2028;
--up:#6fd69b;--up-bg:#143524;--down:#ff9d94;--down-bg:#44191a;--warn:#f2c063;--warn-bg:#3d2e10;
  --idle:#b7c0cc;--idle-bg:#2a313b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
  font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 24px 48px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:6px 14px;margin-bottom:4px}
h1{font-size:24px;margin:0;letter-spacing:-.01em}
h2{font-size:16px;margin:30px 0 10px}
p.facts{color:var(--soft);margin:0 0 8px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-size:12px;font-weight:600;color:var(--soft);text-align:left;padding:9px 16px;
  border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:9px 16px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.name{font-weight:600;white-space:nowrap}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.word,.when{white-space:nowrap}
.when{font-variant-numeric:tabular-nums}
td.rest{width:100%;min-width:12em}
.soft{color:var(--soft)}
code{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
.endpoint{display:block;white-space:nowrap}
.tag{display:inline-block;border-radius:99px;padding:0 9px;font-size:13px;font-weight:600;
  white-space:nowrap;background:var(--idle-bg);color:var(--idle)}
.tag.up{background:var(--up-bg);color:var(--up)}
.tag.down{background:var(--down-bg);color:var(--down)}
.tag.drained,.tag.warn{background:var(--warn-bg);color:var(--warn)}
.alarm{border-radius:10px;padding:11px 16px;margin:14px 0 0;background:var(--down-bg);color:var(--down)}
.empty{padding:12px 16px;color:var(--soft);margin:0}
footer{margin-top:34px;color:var(--soft);font-size:13px}
a{color:inherit}
@media(max-width:700px){main{padding:20px 12px 32px}th,td{padding:8px 10px}
  .when{white-space:normal;min-width:6.5em}}
"""

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_HASH}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing may be loaded, run, framed or sent; only our own style applies."""
