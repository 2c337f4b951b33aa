//! What two names have in common that look alike.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

/// Names of one likeness are one name to a reader: whatever their case, composition, invisible characters,
/// spaces, and letters of other scripts that look the same (the skeleton of UTS 39).
pub fn likeness_of(name: &str) -> String {
    let visible: String = name.nfkc().filter(|char| !is_invisible(*char)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let folded = words.join(" ").to_uppercase().to_lowercase();
    skeleton(&folded).collect::<String>().to_lowercase()
}

fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_reader_takes_for_one_have_one_likeness() {
        for (one, other) in [
            ("Seller", "seller"),
            ("seller", "s\u{435}ller"),
            ("Seller", "Sel\u{200b}ler"),
            ("Ｓeller", "seller"),
            ("hörse", "ho\u{308}rse"),
            ("Agent  Smith", "agent\u{a0}smith"),
            ("PAYPAL", "раураl"),
            ("STRASSE", "straße"),
        ] {
            assert_eq!(likeness_of(one), likeness_of(other), "{one} and {other}");
        }
        for (one, other) in [
            ("seller", "sellers"),
            ("C++", "c#"),
            ("модель", "модели"),
            ("a-b", "ab"),
        ] {
            assert_ne!(likeness_of(one), likeness_of(other), "{one} and {other}");
        }
    }
}
