#!/usr/bin/env python3
"""Look at a page of `experiment report` in Chromium as its readers do: with a mouse, a keyboard, on a phone, in the dark, on paper.

    python3 Tests/Browser/report.py experiment-output/quick/report.html [--pictures DIR]

Tables sort and filter, parts unfold by keys and links, points tell their values, nothing is asked for, nothing goes wrong, and
neither a narrow screen nor paper cuts anything off. Prints what is wrong and exits with 1. Where Chromium (Debian's package
chromium) is not installed, it says so and exits with 0. `--pictures` keeps what it saw, to be compared by eye.
"""

import argparse
import pathlib
import sys

import chromium

# Paper's width less its margins, in the pixels that CSS has: (210 − 2·12) mm.
PAPER = 703

# Contrast by WCAG 2 of what is read with what is behind it.
CONTRAST = """(() => {
  const light = color => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = color => (Math.max(light(color), ground) + 0.05) / (Math.min(light(color), ground) + 0.05);
  const seen = [...document.querySelectorAll("h1, h2, h3, p, a, li, small, td, figcaption")]
    .filter(part => part.checkVisibility()).map(part => getComputedStyle(part).color);
  const drawn = [...document.querySelectorAll("figure svg g > text")].slice(0, 50)
    .filter(part => part.checkVisibility()).map(part => getComputedStyle(part).fill);
  return Math.min(...[...seen, ...drawn].filter(color => color.startsWith("rgb")).map(ratio));
})()"""

# What reaches beyond the right edge; on a screen, what it is in may scroll.
CUT = """(onPaper => [...document.querySelectorAll("main *, header *")].filter(part => {
  if (!part.checkVisibility() || part.closest("svg") && part.tagName !== "svg") return false;
  const style = getComputedStyle(part);
  if (onPaper && style.overflowX !== "visible" && style.display !== "inline" && part.tagName !== "svg"
    && (part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1)) return true;
  for (let outer = part.parentElement; outer && !onPaper; outer = outer.parentElement) {
    if (getComputedStyle(outer).overflowX === "auto") return false;
  }
  return part.getBoundingClientRect().right > innerWidth + 1;
}).map(part => `${part.tagName} ${part.className} ${part.textContent.slice(0, 40)}`))"""


class Check:
    def __init__(self, page, file):
        self.page, self.file, self.failures = page, file, []

    def expect(self, truth, sentence):
        if not truth:
            self.failures.append(sentence)

    def value(self, code):
        return self.page.evaluate(code)

    def everything(self, pictures):
        page = self.page
        page.resize(1280)
        page.media()
        page.open(self.file.as_uri())
        self.contents()
        self.tables()
        self.hints()
        self.screens(pictures)
        self.paper(pictures)
        asked = [url for url in page.requests if not url.startswith("data:") and url.split("#")[0] != self.file.as_uri()]
        self.expect(not asked, f"the page asks for {asked}")
        self.expect(not page.errors, f"errors: {page.errors}")

    def contents(self):
        """What the contents name is there, and unfolds when it is followed, by a click and by the keyboard."""
        lost = self.value(
            "[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1)).filter(id => !document.getElementById(id))")
        self.expect(self.value("document.querySelectorAll('nav a').length") > 0, "there are no contents")
        self.expect(not lost, f"contents lead nowhere: {lost}")
        self.value("document.getElementById('fold').click()")
        self.expect(self.value("document.querySelectorAll('details[open]').length") == 0, "not everything folds")
        last = "[...document.querySelectorAll('nav a')].at(-1)"
        self.value(f"{last}.focus()")
        self.page.press("Enter")
        self.value("new Promise(done => setTimeout(done, 300))")
        self.expect(self.value("document.querySelectorAll('details[open]').length") == 1, "a link unfolds nothing")
        for key in ("Enter", " "):
            before = self.value("document.querySelector('details').open")
            self.value("document.querySelector('summary').focus()")
            self.page.press(key)
            self.expect(self.value("document.querySelector('details').open") != before, f"{key!r} unfolds nothing")
        self.value("document.getElementById('unfold').click()")
        self.expect(self.value("document.querySelectorAll('details:not([open])').length") == 0, "not everything unfolds")

    def tables(self):
        """Each table sorts by a column, both ways, and filters."""
        count = self.value("document.querySelectorAll('section.table table').length")
        self.expect(count > 0, "there is no table")
        for index in range(count):
            table = f"document.querySelectorAll('section.table table')[{index}]"
            section = f"{table}.closest('section')"
            name = self.value(f"{section}.id")
            column = self.value(
                f"""(() => {{
                  const rows = [...{table}.tBodies[0].rows];
                  return [...{table}.tHead.rows[0].cells].findIndex((head, column) =>
                    new Set(rows.map(row => row.cells[column].textContent)).size > 1
                    && rows.every(row => /^-?[\\d.]*$/.test(row.cells[column].textContent)));
                }})()""")
            if column < 0:
                column = 0
            cells = f"[...{table}.tBodies[0].rows].map(row => row.cells[{column}].textContent)"
            head = f"{table}.tHead.rows[0].cells[{column}]"
            before = self.value(cells)
            self.value(f"{head}.firstElementChild.click()")
            up = self.value(cells)
            self.expect(self.value(f"{head}.getAttribute('aria-sort')") == "ascending", f"{name} does not say it is sorted")
            self.value(f"{head}.firstElementChild.focus()")
            self.page.press("Enter")
            down = self.value(cells)
            self.expect(self.value(f"{head}.getAttribute('aria-sort')") == "descending", f"{name}: Enter does not sort")
            self.expect(sorted(up) == sorted(before) == sorted(down), f"{name} loses rows when it is sorted")
            try:
                rising = [float(cell) for cell in up if cell]
                falling = [float(cell) for cell in down if cell]
                self.expect(rising == sorted(rising), f"{name} is not sorted: {up}")
                self.expect(falling == sorted(falling, reverse=True), f"{name} is not sorted down: {down}")
                blanks = len(up) - len(rising)
                self.expect(not blanks or not any(up[-blanks:] + down[-blanks:]), f"{name}: empty cells are not last")
            except ValueError:
                pass
            shown = f"[...{table}.tBodies[0].rows].filter(row => row.checkVisibility()).length"
            word = self.value(f"{table}.tBodies[0].rows[0].cells[0].textContent.split(' ')[0]")
            self.value(f"{section}.querySelector('input').focus()")
            self.page.call("Input.insertText", text=word)
            matching = self.value(
                f"[...{table}.tBodies[0].rows].filter(row => [...row.cells].map(cell => cell.textContent).join(' ').toLowerCase()"
                f".includes({word!r}.toLowerCase())).length")
            self.expect(self.value(shown) == matching > 0, f"{name} shows {self.value(shown)} rows of {matching} with {word}")
            output = self.value(f"{section}.querySelector('output').textContent")
            self.expect(output == f"{matching} of {len(before)} rows", f"{name} says {output}")
            self.page.call("Input.insertText", text=" no-such-word")
            self.expect(self.value(shown) == 0, f"{name} shows rows that lack a word")
            self.value(
                f"(() => {{ const input = {section}.querySelector('input'); input.value = '';"
                " input.dispatchEvent(new Event('input')); })()")
            self.expect(self.value(shown) == len(before), f"{name} does not show all rows again")

    def hints(self):
        """Points tell their values: the topmost thing at each is what says them."""
        pictures = self.value("document.querySelectorAll('figure svg').length")
        if not pictures:
            print("The page has no pictures (is gnuplot installed?), so none was looked at.")
            return
        hints = self.value("[...document.querySelectorAll('figure svg circle > title')].map(title => title.textContent)")
        self.expect(hints and all("\n" in hint for hint in hints), "points do not tell their values")
        self.expect(
            not self.value("[...document.querySelectorAll('figure svg title')].some(title => /gnuplot/i.test(title.textContent))"),
            "a picture tells gnuplot's names")
        top = self.value(
            """(() => {
              const spot = document.querySelector("figure svg circle > title").parentElement;
              spot.scrollIntoView({block: "center"});
              const box = spot.getBoundingClientRect();
              return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).tagName;
            })()""")
        self.expect(top == "circle", f"the pointer finds {top} where a point is")

    def screens(self, pictures):
        """Wide and narrow, light and dark."""
        for name, width, scheme in [("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")]:
            self.page.resize(width)
            self.page.media(scheme=scheme)
            wide = self.value("document.scrollingElement.scrollWidth")
            self.expect(wide <= width, f"at {width} pixels the page is {wide} wide")
            cut = self.value(f"{CUT}(false)")
            self.expect(not cut, f"at {width} pixels these are cut: {cut[:5]}")
            contrast = self.value(CONTRAST)
            self.expect(contrast >= 4.5, f"{name}: a text's contrast is {contrast:.1f}")
            small = self.value(
                "Math.min(...[...document.querySelectorAll('figure svg')].filter(svg => svg.checkVisibility())"
                ".map(svg => 13 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width), 99)")
            self.expect(small >= 8 or width > 500, f"at {width} pixels the pictures' text is {small:.1f} pixels high")
            if pictures:
                self.page.picture(pictures / f"{name}.png", whole=True)

    def paper(self, pictures):
        """Nothing is cut on paper, wide tables included, and everything is folded again afterwards."""
        self.page.resize(1280)
        self.page.media()
        self.value("document.getElementById('fold').click()")
        self.value("document.querySelectorAll('section.raw details').forEach(part => part.open = true)")
        folded = self.value("document.querySelectorAll('details:not([open])').length")
        self.page.resize(PAPER)
        self.page.media("print")
        self.value("dispatchEvent(new Event('beforeprint'))")
        cut = self.value(f"{CUT}(true)")
        self.expect(not cut, f"on paper these are cut: {cut[:5]}")
        self.expect(self.value("document.querySelectorAll('figure').length") == self.value(
            "[...document.querySelectorAll('figure')].filter(figure => figure.checkVisibility()).length"), "paper lacks pictures")
        rows = self.value(
            "[...document.querySelectorAll('tbody tr')].filter(row => row.checkVisibility() && row.getBoundingClientRect().height > 0).length")
        self.expect(rows == self.value("document.querySelectorAll('tbody tr').length"), "paper lacks rows")
        self.value("dispatchEvent(new Event('afterprint'))")
        self.expect(
            self.value("document.querySelectorAll('details:not([open])').length") == folded, "printing leaves parts unfolded")
        self.page.media("")
        self.page.resize(1280)
        paper = self.page.paper()
        self.expect(paper.startswith(b"%PDF"), "the page does not print")
        if pictures:
            (pictures / "paper.pdf").write_bytes(paper)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path, help="a folder for what it saw")
    arguments = parser.parse_args()
    program = chromium.program()
    if not program:
        print("Chromium is not installed (apt-get install chromium), so the page was not looked at.")
        return
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    page = chromium.Page(program)
    try:
        check = Check(page, arguments.page.resolve())
        check.everything(arguments.pictures)
    finally:
        page.close()
    for failure in check.failures:
        print(f"✗ {failure}")
    print(f"{arguments.page}: {len(check.failures)} failures" if check.failures else f"{arguments.page}: everything is in order")
    sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()
