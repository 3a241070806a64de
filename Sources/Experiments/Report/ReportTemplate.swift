/// The page, as a Mustache template. All that it is filled with is markup (`ReportPage`), so every value has three braces.
enum ReportTemplate {
  /// Pictures with what there is to say of them.
  private static let figures = """
    {{#figures}}<figure id="plot-{{{name}}}">
    <h3>{{{title}}}</h3>
    <div class="picture">{{{svg}}}</div>
    <figcaption>{{{caption}}}{{#files}} <a href="plots/{{{name}}}.gp">script</a> · <a href="plots/{{{name}}}.dat">data</a>{{#picture}} · <a href="plots/{{{name}}}.png">PNG</a> · <a href="plots/{{{name}}}.svg">SVG</a>{{/picture}}{{/files}}</figcaption>
    </figure>
    {{/figures}}
    """

  /// A table that sorts and filters.
  private static let table = """
    <p><label>Filter rows: <input type="search" placeholder="such as adder"></label> <output></output></p>
    <div class="scroll" tabindex="0" role="region" aria-label="{{{name}}}"><table>
    <thead><tr>{{#columns}}<th scope="col"><button type="button">{{{.}}}</button></th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr>{{#cells}}<td{{#number}} class="n"{{/number}}>{{{text}}}</td>{{/cells}}</tr>
    {{/rows}}</tbody>
    </table></div>
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
    {{/notes}}<nav aria-label="Contents"><p>Contents</p>
    <ul>
    {{#contents}}<li><a href="#{{{id}}}">{{{name}}}</a>{{#count}} <small>{{{count}}}</small>{{/count}}</li>
    {{/contents}}</ul>
    <p><button type="button" id="unfold">Unfold all</button> <button type="button" id="fold">Fold all</button></p></nav>
    </header>
    <main>
    {{#hasSummary}}<section id="summary" class="table">
    <h2>Summary</h2>
    <ul>
    {{#paragraphs}}<li>{{{.}}}</li>
    {{/paragraphs}}</ul>
    {{#summary}}<p class="quiet">{{{caption}}}</p>
    \(table){{/summary}}
    </section>
    {{/hasSummary}}{{#sections}}<details id="{{{id}}}"{{#open}} open{{/open}}>
    <summary><h2>{{{name}}}</h2></summary>
    <div class="grid">
    \(figures)</div>
    </details>
    {{/sections}}{{#tasks}}<article id="{{{id}}}"><details{{#open}} open{{/open}}>
    <summary><h2>{{{name}}}</h2></summary>
    {{#examples}}<p><img src="{{{.}}}" alt="Examples of the images of each class"></p>
    <p class="quiet">Examples with the task's default options; the title says which differ here.</p>
    {{/examples}}<div class="grid">
    \(figures)</div>
    </details></article>
    {{/tasks}}{{#tables}}<section id="table-{{{name}}}" class="table raw"><details>
    <summary><h2>{{{name}}}.csv</h2> <small>{{{count}}}</small></summary>
    {{#origin}}<p class="quiet">{{{.}}}</p>
    {{/origin}}\(table)
    </details></section>
    {{/tables}}{{#hasTables}}<p class="paper">Folded tables are not printed; they are in the files next to this page.</p>
    {{/hasTables}}</main>
    <script>{{{code}}}</script>
    </body>
    </html>

    """
}
