//! Log lines of bounded length. What a client sent may be part of an error, and so of a line: a path, a
//! value that PostgreSQL did not take, an answer of a third party.
//!
//! Here and not at each line that logs, so that none can forget it.

use std::io::{self, Write};

use serde_json::Value;

use crate::limits::{LOG_LINE_BYTES_MAX, LOG_TEXT_CHARS_MAX};

/// A writer of whole lines that cuts those that are too long.
#[derive(Debug)]
pub(super) struct Bounded<W>(pub W);

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if line.len() <= LOG_LINE_BYTES_MAX {
            self.0.write_all(line)
        } else {
            self.0.write_all(&cut_line(line))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The same line, shorter: JSON stays JSON, and each of its texts is cut.
fn cut_line(line: &[u8]) -> Vec<u8> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(line) {
        cut_texts(&mut value);
        let mut cut = value.to_string().into_bytes();
        cut.push(b'\n');
        if cut.len() <= LOG_LINE_BYTES_MAX {
            return cut;
        }
    }
    let text = String::from_utf8_lossy(&line[..LOG_LINE_BYTES_MAX.min(line.len())]);
    format!("{}…\n", text.trim_end()).into_bytes()
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(LOG_TEXT_CHARS_MAX) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(line: &str) -> String {
        let mut bytes = Vec::new();
        Bounded(&mut bytes).write_all(line.as_bytes()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_of_client_text_is_cut_and_stays_json() {
        let long = "é".repeat(LOG_LINE_BYTES_MAX);
        let line = json!({ "level": "WARN", "error": long, "span": { "path": long } });
        let cut = written(&format!("{line}\n"));
        assert!(cut.len() <= LOG_LINE_BYTES_MAX);
        let value: Value = serde_json::from_str(&cut).unwrap();
        assert_eq!(value["level"], "WARN");
        let text = value["span"]["path"].as_str().unwrap();
        assert_eq!(text.chars().count(), LOG_TEXT_CHARS_MAX + 1);
    }

    #[test]
    fn a_line_that_is_no_json_or_has_too_many_texts_is_cut_at_its_end() {
        for line in [
            "x".repeat(2 * LOG_LINE_BYTES_MAX),
            json!(vec!["y"; LOG_LINE_BYTES_MAX]).to_string(),
        ] {
            let cut = written(&line);
            assert!(cut.len() <= LOG_LINE_BYTES_MAX + "…\n".len());
            assert!(cut.ends_with("…\n"));
        }
        assert_eq!(written("short\n"), "short\n");
    }
}
