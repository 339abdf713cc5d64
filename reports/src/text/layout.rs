//! Lines of at most [`WIDTH`] columns, whose rest goes on below.

/// The widest that a line may be.
const WIDTH: usize = 98;

/// The text of a report, line by line.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A line that starts with `lead`; what does not fit goes on below, indented to the width of the lead.
    pub fn line(&mut self, lead: &str, text: &str) {
        self.lines_at_most(usize::MAX, lead, text);
    }

    /// The same, but what does not fit into so many lines is left out, and said to be.
    pub fn lines_at_most(&mut self, lines_max: usize, lead: &str, text: &str) {
        let indent = " ".repeat(lead.len());
        // A reason may quote what a source sent.
        let text = ascii(text);
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(lead)
            .subsequent_indent(&indent)
            // Names of files have hyphens in them.
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(&text, options);
        if lines.is_empty() {
            self.raw(lead);
        }
        lines.iter().take(lines_max).for_each(|line| self.raw(line));
        if lines.len() > lines_max {
            self.raw(&format!("{indent}[...]"));
        }
    }

    /// A line as it is.
    pub fn raw(&mut self, line: &str) {
        // A file that is shown may hold what a terminal takes for an order.
        for c in line.trim_end().chars() {
            match c.is_control() {
                true => self.text.extend(c.escape_default()),
                false => self.text.push(c),
            }
        }
        self.text.push('\n');
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// The head of a section.
    pub fn section(&mut self, name: &str, about: &str) {
        self.blank();
        self.line(&format!("{name}  "), about);
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// What is not printable ASCII as Rust escapes it.
fn ascii(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    text.chars().map(|c| if plain(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

/// `1 batch`, `2 batches`.
pub(crate) fn count(n: u64, one: &str) -> String {
    let ending = match one {
        _ if n == 1 => "",
        _ if one.ends_with("ch") || one.ends_with("ss") => "es",
        _ => "s",
    };
    format!("{n} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_below_its_column_and_stays_narrow() {
        let mut page = Page::default();
        page.line("  1.000s  REJECT  ", &"word ".repeat(40));
        page.line("  ", &"x".repeat(300));
        let text = page.into_text();
        assert!(text.lines().all(|line| line.len() < 100), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("                  word"), "{text}");
    }

    #[test]
    fn what_a_source_sent_cannot_break_a_line() {
        let mut page = Page::default();
        page.line("", "a\nb\u{1b}[31m\u{e9}");
        assert_eq!(page.into_text(), "a\\nb\\u{1b}[31m\\u{e9}\n");
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(count(1, "batch"), "1 batch");
        assert_eq!(count(2, "batch"), "2 batches");
        assert_eq!(count(0, "power loss"), "0 power losses");
        assert_eq!(count(3, "record"), "3 records");
    }
}
