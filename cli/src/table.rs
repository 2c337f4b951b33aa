//! Aligned text for people. What strangers wrote (reasons, payloads, names) cannot steer the
//! terminal: control characters are shown, never sent.

use std::fmt;

const GAP: usize = 2;

/// Rows of cells; the first row is the head.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with that head.
    pub fn new<const COLUMNS: usize>(head: [&str; COLUMNS]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
        }
    }

    /// A table of names and values, without a head.
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let rows = pairs
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), visible(&value)])
            .collect();
        Self { rows }
    }

    /// Adds a row; an empty cell becomes a dash.
    pub fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(
            cells
                .map(|cell| visible(&cell).replace('\n', "\\n"))
                .to_vec(),
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let widths = self.rows.iter().filter_map(|row| row.get(column));
            widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = if cell.is_empty() { "-" } else { cell };
                line.push_str(&format!("{cell:<width$}", width = width + GAP));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The text with what a terminal would obey made visible; line breaks stay.
pub fn visible(text: &str) -> String {
    let obeyed = |char: char| {
        let reorders = matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        reorders || (char.is_control() && char != '\n')
    };
    text.chars().fold(String::new(), |mut shown, char| {
        if obeyed(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
        shown
    })
}

/// The start of a long text.
pub fn excerpt(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_lines_have_no_trailing_space() {
        let mut table = Table::new(["NAME", "NOTE"]);
        table.row(["grün".to_owned(), String::new()]);
        table.row(["a".to_owned(), "b".to_owned()]);
        assert_eq!(table.to_string(), "NAME  NOTE\ngrün  -\na     b\n");
    }

    #[test]
    fn what_strangers_wrote_cannot_steer_the_terminal() {
        let mut table = Table::new(["REASON"]);
        table.row(["\u{1b}[2J\nFAKE\r\u{202e}".to_owned()]);
        assert_eq!(table.to_string(), "REASON\n\\u{1b}[2J\\nFAKE\\r\\u{202e}\n");
    }

    #[test]
    fn an_excerpt_never_splits_a_character() {
        assert_eq!(excerpt("äöü", 2), "äö…");
        assert_eq!(excerpt("äöü", 3), "äöü");
    }
}
