/// The style of all pages, in the light or dark colour scheme of the browser.
enum PageStyle {
    static let base = """
        :root{color-scheme:light dark;--bg:#fbfaf8;--panel:#fff;--line:#e4e0d8;--text:#23211d;--dim:#6d685e;--accent:#9a5b00;\
        --good:#1c7a45;--bad:#b3261e;--warn:#8a6500;--code:#f4f1ea}
        @media(prefers-color-scheme:dark){:root{--bg:#161512;--panel:#1f1d19;--line:#37332b;--text:#ece8df;--dim:#a39c8e;\
        --accent:#f0b357;--good:#6fce97;--bad:#ff8a80;--warn:#e8c35a;--code:#272420}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
        h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2rem 0 .7rem}h3{font-size:1rem;margin:0 0 .4rem}
        code,pre,.mono{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        code{background:var(--code);padding:.1em .35em;border-radius:4px}
        pre{background:var(--code);padding:.8rem 1rem;border-radius:8px;overflow:auto;margin:.4rem 0 1rem}
        pre code{background:none;padding:0}
        table{border-collapse:collapse;width:100%}
        th{text-align:left;font-weight:600;color:var(--dim);font-size:.82rem}
        th,td{padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
        tr:last-child td{border-bottom:0}
        .panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;overflow-x:auto}
        .dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
        """
}
