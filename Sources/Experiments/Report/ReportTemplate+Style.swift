extension ReportTemplate {
  /// How the page looks: on light and dark screens, on narrow ones, and on paper.
  static let style = """

    :root { color-scheme: light dark; --ground: #ffffff; --ink: #1a1a1a; --quiet: #595959; --line: #d0d0d0; --band: #f4f4f4; --link: #0060a0; }
    @media (prefers-color-scheme: dark) {
      :root { --ground: #16181b; --ink: #e6e6e6; --quiet: #a8a8a8; --line: #3c4045; --band: #1f2226; --link: #7cc0f0; }
    }
    * { box-sizing: border-box; }
    body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1640px; overflow-wrap: anywhere; padding: 0 1.2rem 3rem; }
    h1 { font-size: 1.6rem; margin: 1.2rem 0 .3rem; } h2 { display: inline; font-size: 1.2rem; } h3 { font-size: 1.02rem; margin: 0 0 .4rem; }
    header p { color: var(--quiet); margin: .2rem 0; } .note { color: var(--ink); font-weight: 600; } small { color: var(--quiet); }
    a { color: var(--link); } :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    nav { border: 1px solid var(--line); border-radius: 6px; margin-top: .8rem; padding: .5rem .9rem; }
    nav ul { columns: 14rem auto; list-style: none; margin: .2rem 0 .5rem; padding: 0; }
    nav button, summary { cursor: pointer; }
    section, details, article { margin-top: 1rem; } section > details, article > details { margin-top: 0; }
    details { border-top: 1px solid var(--line); padding-top: .7rem; } summary:hover { background: var(--band); }
    #summary li { max-width: 62rem; margin-bottom: .3rem; }
    img { background: #ffffff; image-rendering: pixelated; max-width: 100%; }
    .grid { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 600px), 1fr)); margin: .8rem 0 1.2rem; }
    figure { border: 1px solid var(--line); border-radius: 6px; break-inside: avoid; margin: 0; padding: .9rem; min-width: 0; }
    .picture { overflow-x: auto; }
    figure svg { display: block; height: auto; width: 100%; min-width: 540px; max-width: 900px; margin: 0 auto; color: var(--ink); }
    figure svg polygon { shape-rendering: crispEdges; }
    figcaption { color: var(--quiet); font-size: .88rem; } .quiet { color: var(--quiet); margin: .2rem 0; }
    .scroll { border: 1px solid var(--line); max-height: 32rem; overflow: auto; overflow-wrap: normal; }
    table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
    th { background: var(--band); padding: 0; position: sticky; top: 0; text-align: left; }
    th button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; font-weight: 600; padding: .35rem .6rem; white-space: nowrap; }
    th[aria-sort=ascending] button::after { content: " ▲"; } th[aria-sort=descending] button::after { content: " ▼"; }
    td { border-top: 1px solid var(--line); padding: .2rem .6rem; white-space: nowrap; } td.n { text-align: right; }
    input { background: var(--ground); border: 1px solid var(--line); border-radius: 4px; color: inherit; font: inherit; max-width: 100%; padding: .2rem .5rem; }
    output { color: var(--quiet); margin-left: .6rem; } .paper { display: none; }
    @media print {
      @page { margin: 12mm; }
      :root { color-scheme: light; --ground: #ffffff; --ink: #000000; --quiet: #404040; --line: #b0b0b0; --band: #ffffff; --link: #000000; }
      body { font-size: 9.5pt; max-width: none; padding: 0; } nav, label, output { display: none; } .paper { display: block; }
      h2, h3, summary { break-after: avoid; } .grid { display: block; } figure { margin-bottom: 1rem; } tr { break-inside: avoid; }
      .picture, .scroll { border: 0; max-height: none; overflow: visible; } figure svg { min-width: 0; max-width: 165mm; }
      .raw > details:not([open]) { display: none; }
      table { font-size: 7pt; width: 100%; } th { position: static; } th button { padding: .1rem .2rem; text-align: left; }
      th button, td { overflow-wrap: anywhere; white-space: normal; } td { padding: .1rem .2rem; } td.n { overflow-wrap: break-word; }
      .pairs, .pairs tbody, .pairs tr:not([hidden]) { display: block; width: auto; } .pairs thead, .pairs td:empty { display: none; }
      .pairs tr { border-top: 1px solid var(--line); padding: .2rem 0; } .pairs td { border: 0; display: inline; padding: 0 .7em 0 0; }
      .pairs td::before { color: var(--quiet); content: attr(data-column) " "; }
    }

    """
}
