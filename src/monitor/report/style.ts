/** Series colours keep a contrast of 3:1 or more to their background, light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5a6675;--line:#e3e7ec;--axis:#9aa5b1;--warn:#b42318;
--s0:#2563eb;--s1:#0d8a5f;--s2:#c2410c;--s3:#7c3aed;--s4:#be185d;--s5:#0e7490;--s6:#a16207;--s7:#475569}
@media(prefers-color-scheme:dark){:root{--bg:#0f141a;--card:#171e26;--ink:#e6ebf1;--soft:#9aa7b5;--line:#29323d;--axis:#566372;--warn:#ff8a7a;
--s0:#6ea8fe;--s1:#4cc79a;--s2:#ff9a5c;--s3:#b79cff;--s4:#ff85b8;--s5:#55c7dd;--s6:#e2b84a;--s7:#a9b6c6}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:36px 24px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 2px}
p{margin:0;color:var(--soft)}
.warn{color:var(--warn);margin-top:8px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:14px;margin:24px 0}
.card,section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px}
.card b{display:block;font-size:25px;line-height:1.25;font-weight:650;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px}
section{margin:0 0 18px;padding:18px 20px}
svg{display:block;width:100%;height:auto;margin-top:12px}
svg text{fill:var(--soft);font-size:13px;font-variant-numeric:tabular-nums}
svg .title{font-size:13px}
.grid{stroke:var(--line)}.axis{stroke:var(--axis)}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.area{fill:var(--s0);opacity:.14}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin-top:10px;font-size:14px}
i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:7px;vertical-align:-1px}
.meter{height:14px;border-radius:7px;background:var(--line);overflow:hidden;margin-top:12px}
.meter div{height:100%;background:var(--s0)}
.scroll{overflow-x:auto;margin-top:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th{color:var(--soft);font-weight:500}
th,td{text-align:right;padding:7px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
tbody tr:last-child td{border-bottom:0}
${Array.from({ length: 8 }, (_, i) => `.line.s${i}{stroke:var(--s${i})}i.s${i}{background:var(--s${i})}`).join('')}
`;
