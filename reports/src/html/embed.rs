//! Data inside a page: JSON in a `script` element that no browser runs.
//!
//! The end of such an element is looked for in its text alone, so a record `</script>` would end it. What could mean anything to a
//! parser of HTML is written as JSON's own escape instead; so are the two line separators, which some parsers of scripts take for the
//! end of a line.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

/// The data, for a script that reads the element's text.
pub(super) fn data(id: &str, data: &impl Serialize) -> Markup {
    let json = serde_json::to_string(data)
        .expect("a view is strings, numbers, lists, and maps whose keys are strings");
    html! { script type="application/json" id=(id) { (PreEscaped(inert(&json))) } }
}

fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            // The last are orders about the direction of writing, and the controls that JSON itself does not escape.
            '<'
            | '>'
            | '&'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{7f}'..='\u{9f}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_can_end_no_element_and_reads_back() {
        let records =
            ["</script><img src=x onerror=alert(1)>", "<!--<script>", "\u{2028}\u{2029}", "&lt;", "\"\\"];
        let page = data("x", &records).into_string();
        let inner = page.strip_prefix("<script type=\"application/json\" id=\"x\">").unwrap();
        let inner = inner.strip_suffix("</script>").unwrap();
        assert!(!inner.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{inner}");
        assert_eq!(serde_json::from_str::<Vec<String>>(inner).unwrap(), records);
    }
}
