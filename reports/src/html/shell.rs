//! What every page has around it: its title, its style, its script, and the policy under which a browser shows it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("assets/style.css");

/// Nothing is loaded from anywhere. Of scripts only the page's own run; one in an attribute, which an escape that was forgotten would
/// let in, does not.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-page'; base-uri 'none'; form-action 'none'";

/// A whole page.
pub(super) fn page(title: &str, script: Option<&str>, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                // A browser asks the server for one that is not named.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                @if let Some(script) = script {
                    script nonce="page" { (PreEscaped(script)) }
                }
            }
        }
    };
    visible(&page.into_string())
}

/// What a browser would not show, or show elsewhere than it stands, as Rust escapes it: a record may hold it.
fn visible(page: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(page.len());
    for c in page.chars() {
        match is_hidden(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

/// A section with its heading, which a link can name.
pub(super) fn section(id: &str, title: &str, about: &str, body: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            @if !about.is_empty() { p.about { (about) } }
            (body)
        }
    }
}
