extension ReportTemplate {
  /// What the page does: tables sort and filter, links unfold what they lead to, paper has everything unfolded.
  static let code = """

    // A number may have commas, a sign, and an interval after it.
    const numberOf = text => {
      const match = /^([−+-]?)([\\d,]*\\.?\\d+(?:e[+-]?\\d+)?)(?= |×|$)/i.exec(text.trim());
      return match ? Number((match[1] === "−" ? "-" : match[1]) + match[2].replaceAll(",", "")) : NaN;
    };
    for (const section of document.querySelectorAll("section.table")) {
      const body = section.querySelector("tbody");
      if (!body) continue;
      const heads = [...section.querySelectorAll("th")], rows = [...body.rows];
      const input = section.querySelector("input"), output = section.querySelector("output");
      heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = rows.map((row, place) => {
          const text = row.cells[column].textContent;
          return { row, place, text, number: numberOf(text) };
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
    const unfold = () => {
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target) return;
      for (let part = target.querySelector("details") ?? target; part; part = part.parentElement) {
        if (part.tagName === "DETAILS") part.open = true;
      }
      target.scrollIntoView();
    };
    addEventListener("hashchange", unfold);
    unfold();
    const all = selector => [...document.querySelectorAll(selector)];
    document.getElementById("unfold").addEventListener("click", () => all("details").forEach(part => part.open = true));
    document.getElementById("fold").addEventListener("click", () => all("details").forEach(part => part.open = false));
    // Paper has every picture, and of tables those that are unfolded; wide ones row by row, each cell with its column's name.
    let folded = [];
    addEventListener("beforeprint", () => {
      folded = all("main > details, article > details").filter(part => !part.open);
      folded.forEach(part => part.open = true);
      for (const table of all(".raw > details[open] table")) {
        const names = [...table.querySelectorAll("th")].map(head => head.textContent);
        table.classList.toggle("pairs", names.length > 8);
        for (const row of table.tBodies[0].rows) {
          [...row.cells].forEach((cell, column) => cell.dataset.column = names[column]);
        }
      }
    });
    addEventListener("afterprint", () => folded.forEach(part => part.open = false));

    """
}
