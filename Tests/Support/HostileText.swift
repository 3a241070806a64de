/// Names that mean something in a format, hidden from code that looks at characters: Unicode joins a mark and the
/// sign before or after it to one `Character`, which no longer equals the sign.
public enum HostileText {
  /// Marks that join: two that stand before a sign; combining ones, one of which makes another letter of `<`, `>` and
  /// `=`; a keycap, a variation selector, a joiner, a skin tone, and the second half of an end of line.
  public static let marks = [
    "\u{0600}", "\u{110bd}", "\u{0301}", "\u{0338}", "\u{20e3}", "\u{fe0f}", "\u{200d}", "\u{1f3fd}", "\n",
  ]

  /// Texts in which a sign stands alone, doubled, and with each mark before it, after it and around it.
  public static func around(_ sign: String) -> [String] {
    var texts = [sign, sign + sign, "a\(sign)b"]
    for mark in marks {
      texts += ["\(mark)\(sign)", "\(sign)\(mark)", "\(mark)\(sign)\(mark)", "a\(sign)\(mark)b"]
      texts += ["\(sign)\(mark)\(sign)", "\(sign)\(sign)\(mark)"]
    }
    return texts
  }

  /// Attempts to run a script from a name: in a cell, an attribute, a title, a picture. The script is to put `PWNED`
  /// into the page's title.
  public static let scripts = [
    "<script>document.title='PWNED'</script>", "<img src=x onerror=document.title=/PWNED/.source x=",
    "\" onload=document.title=/PWNED/.source x=\"", "' onload=document.title=/PWNED/.source x='",
    "\"><svg onload=document.title=/PWNED/.source>", "</title><script>document.title='PWNED'</script>",
    "</script><script>document.title='PWNED'</script>", "]]><script>document.title='PWNED'</script>",
    "--><script>document.title='PWNED'</script><!--",
    "</text></svg><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "&lt;script&gt;document.title='PWNED'&lt;/script&gt;",
    "<a href=javascript:document.title='PWNED' autofocus onfocus=x()>",
    "<meta http-equiv=refresh content=0;url=javascript:document.title='PWNED'>", "{{{title}}}{{#tables}}",
  ]

  /// Each of `texts` as it is, and with a mark before, and after, each sign of markup.
  public static func hidden(_ texts: [String]) -> [String] {
    var result = texts
    for mark in marks {
      for text in texts { result += [joined(text) { mark + $0 }, joined(text) { $0 + mark }] }
    }
    return result
  }

  private static func joined(_ text: String, _ form: (String) -> String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let sign = String(scalar)
      result += "<>\"'&=/{}".unicodeScalars.contains(scalar) ? form(sign) : sign
    }
    return result
  }
}
