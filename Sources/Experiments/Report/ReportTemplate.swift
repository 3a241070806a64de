/// The page, as a Mustache template. All that it is filled with is markup (`ReportPage`), so every value has three braces.
enum ReportTemplate {
  /// A picture with what there is to say of it.
  private static let figure = """
    <figure id="plot-{{{name}}}">
    <h2>{{{title}}}</h2>
    {{{svg}}}
    <figcaption>{{{caption}}} <a href="plots/{{{name}}}.gp">script</a> · <a href="plots/{{{name}}}.dat">data</a>{{#picture}} · <a href="plots/{{{name}}}.png">PNG</a> · <a href="plots/{{{name}}}.svg">SVG</a>{{/picture}}</figcaption>
    </figure>
    """

  static let page = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="{{{policy}}}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{{title}}}</title>
    <link rel="icon" href="data:,">
    <style>{{{style}}}</style>
    </head>
    <body>
    <header>
    <h1>{{{title}}}</h1>
    {{#machine}}<p>{{{.}}}</p>
    {{/machine}}{{#notes}}<p class="note">{{{.}}}</p>
    {{/notes}}<nav>{{#tasks}}<a href="#{{{id}}}">{{{name}}}</a> {{/tasks}}{{#tables}}<a href="#table-{{{name}}}">{{{name}}}.csv</a> {{/tables}}</nav>
    </header>
    <main>
    {{#figures}}\(figure)
    {{/figures}}</main>
    {{#tasks}}<article id="{{{id}}}">
    <h2 class="task">{{{name}}}</h2>
    {{#examples}}<p><img src="{{{.}}}" alt="Examples of the images of each class"></p>
    {{/examples}}<div class="grid">
    {{#figures}}\(figure)
    {{/figures}}</div>
    </article>
    {{/tasks}}{{#tables}}<section id="table-{{{name}}}">
    <h2>{{{name}}}.csv</h2>
    {{#origin}}<p class="quiet">{{{.}}}</p>
    {{/origin}}<p><label>Filter rows: <input type="search" placeholder="such as adder"></label> <output></output></p>
    <div class="scroll"><table>
    <thead><tr>{{#columns}}<th scope="col"><button type="button">{{{.}}}</button></th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr>{{#cells}}<td{{#number}} class="n"{{/number}}>{{{text}}}</td>{{/cells}}</tr>
    {{/rows}}</tbody>
    </table></div>
    </section>
    {{/tables}}<script>{{{code}}}</script>
    </body>
    </html>

    """

  static let style = """

    :root { color-scheme: light dark; --ground: #ffffff; --ink: #1a1a1a; --quiet: #595959; --line: #d0d0d0; --band: #f4f4f4; --link: #0060a0; }
    @media (prefers-color-scheme: dark) {
      :root { --ground: #16181b; --ink: #e6e6e6; --quiet: #a8a8a8; --line: #3c4045; --band: #1f2226; --link: #7cc0f0; }
    }
    body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1640px; padding: 0 1.2rem 3rem; }
    h1 { font-size: 1.6rem; margin: 1.2rem 0 .3rem; } h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
    header p { color: var(--quiet); margin: .2rem 0; } .note { color: var(--ink); font-weight: 600; }
    a { color: var(--link); }
    h2.task { border-top: 2px solid var(--line); font-size: 1.3rem; padding-top: .8rem; } article { break-before: page; }
    article img { background: #ffffff; image-rendering: pixelated; max-width: 100%; }
    main, .grid { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 600px), 1fr)); margin: 1.2rem 0; }
    figure { border: 1px solid var(--line); border-radius: 6px; margin: 0; padding: .9rem; min-width: 0; }
    figure svg { display: block; height: auto; width: 100%; max-width: 900px; margin: 0 auto; color: var(--ink); }
    figure svg polygon { shape-rendering: crispEdges; }
    figcaption { color: var(--quiet); font-size: .88rem; }
    section { margin-top: 2rem; } .quiet { color: var(--quiet); margin: .2rem 0; }
    .scroll { border: 1px solid var(--line); max-height: 32rem; overflow: auto; }
    table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
    th { background: var(--band); padding: 0; position: sticky; top: 0; text-align: left; }
    th button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; font-weight: 600; padding: .35rem .6rem; white-space: nowrap; }
    th[aria-sort=ascending] button::after { content: " ▲"; } th[aria-sort=descending] button::after { content: " ▼"; }
    td { border-top: 1px solid var(--line); padding: .2rem .6rem; white-space: nowrap; } td.n { text-align: right; }
    input { background: var(--ground); border: 1px solid var(--line); border-radius: 4px; color: inherit; font: inherit; padding: .2rem .5rem; }
    output { color: var(--quiet); margin-left: .6rem; }
    @media print { .scroll { max-height: none; overflow: visible; } }

    """

  static let code = """

    for (const section of document.querySelectorAll("section")) {
      const body = section.querySelector("tbody"), heads = [...section.querySelectorAll("th")];
      const rows = [...body.rows], input = section.querySelector("input"), output = section.querySelector("output");
      heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = rows.map((row, place) => {
          const text = row.cells[column].textContent, number = text.trim() === "" ? NaN : Number(text);
          return { row, place, text, number };
        });
        // Numbers before words, empty cells last either way, and equal ones in the table's own order.
        keyed.sort((a, b) => {
          if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1;
          const numbers = !Number.isNaN(a.number), others = !Number.isNaN(b.number);
          if (numbers !== others) return numbers ? -1 : 1;
          const order = numbers ? a.number - b.number : a.text.localeCompare(b.text);
          return (down ? -order : order) || a.place - b.place;
        });
        body.append(...keyed.map(entry => entry.row));
      }));
      const show = () => {
        const words = input.value.toLowerCase().split(/\\s+/).filter(word => word);
        let shown = 0;
        for (const row of rows) {
          const text = [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase();
          row.hidden = !words.every(word => text.includes(word));
          shown += row.hidden ? 0 : 1;
        }
        output.textContent = `${shown} of ${rows.length} rows`;
      };
      input.addEventListener("input", show);
      show();
    }

    """
}
