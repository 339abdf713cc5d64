//! What is wrong with a file that a person wrote, and where in it.

/// An error at a place of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TextError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl TextError {
    /// The error at byte `at` of a text.
    ///
    /// ```
    /// let error = highwater_sim::TextError::at("one\ntwo", 5, "no such number");
    /// assert_eq!(error.to_string(), "line 2, column 2: no such number");
    /// ```
    pub fn at(text: &str, at: usize, message: impl Into<String>) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: message.into().replace('\n', "; "),
        }
    }

    /// The error of a text that is no TOML, or not of the expected form.
    pub fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        Self::at(text, error.span().map_or(0, |span| span.start), error.message())
    }
}
