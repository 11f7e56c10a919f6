/// The style and the script of the API reference.
extension DocsPage {
    static let style =
        PageStyle.base + """

            body{display:flex}
            nav{position:sticky;top:0;height:100vh;width:270px;flex:none;overflow-y:auto;border-right:1px solid var(--line);\
            padding:1.2rem 1rem;background:var(--panel)}
            nav .brand{font-weight:700;font-size:1.15rem;display:block;margin-bottom:.8rem}
            nav input{width:100%;padding:.4rem .6rem;border:1px solid var(--line);border-radius:6px;background:var(--bg);color:inherit;font:inherit}
            nav h4{margin:1.1rem 0 .3rem;font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--dim)}
            nav .link{display:flex;gap:.5rem;align-items:baseline;padding:.18rem .3rem;border-radius:5px;color:inherit;font-size:.88rem}
            nav .link:hover{background:var(--code);text-decoration:none}
            main{flex:1;min-width:0;max-width:1240px;padding:2rem 2.5rem 6rem}
            section{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 2.2rem;padding:1.6rem 0;border-top:1px solid var(--line);scroll-margin-top:1rem}
            section.plain{display:block}
            h5{margin:.9rem 0 .3rem;font-size:.8rem;color:var(--dim)}
            .path{margin:.2rem 0 .8rem}
            .method{display:inline-block;min-width:3.6rem;text-align:center;font:600 11px/1.7 ui-monospace,monospace;border-radius:4px;\
            color:#fff;background:#6d685e;padding:0 .3rem}
            .get{background:#2563a8}.post{background:#1c7a45}.put,.patch{background:#8a6500}.delete{background:#b3261e}
            nav .method{min-width:3.1rem;font-size:9px;flex:none}
            td:first-child code{white-space:nowrap}
            pre{position:relative;max-height:26rem}
            pre button{position:absolute;top:.4rem;right:.4rem;font:11px system-ui;padding:.15rem .5rem;border:1px solid var(--line);\
            border-radius:5px;background:var(--panel);color:var(--dim);cursor:pointer}
            tr:target,section:target h3{background:var(--code)}
            @media(max-width:1000px){section{grid-template-columns:minmax(0,1fr)}}
            @media(max-width:720px){body{display:block}nav{position:static;width:auto;height:auto;border:0}main{padding:1rem}}
            """

    static let script = """
        document.querySelectorAll('pre').forEach(function(pre){var b=document.createElement('button');b.textContent='Copy';\
        b.onclick=function(){navigator.clipboard.writeText(pre.querySelector('code').textContent);b.textContent='Copied';\
        setTimeout(function(){b.textContent='Copy'},1200)};pre.appendChild(b)});
        document.getElementById('find').oninput=function(e){var w=e.target.value.toLowerCase();\
        document.querySelectorAll('nav .link').forEach(function(a){a.style.display=a.textContent.toLowerCase().includes(w)?'':'none'})};
        """
}
