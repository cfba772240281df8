//! An error that ends the run, for a terminal: the words of [`Error::report`], in colours.

use super::colour::{Colour, Palette};
use crate::Error;

/// The error with its place, source lines and hint.
///
/// Without a palette it is plain text. The words stand out in the colour of errors; the place and the
/// margin recede; the caret and the hint are easy to find.
pub fn render(error: &Error, palette: Option<&Palette>) -> String {
    let plain = format!("[ERROR]: {}", error.report());
    let Some(palette) = palette else {
        return plain;
    };
    let words = error.message().lines().count().max(1);
    let painted = |text: &str, colour: &Colour| colour.paint(text);
    let lines = plain.lines().enumerate().map(|(index, line)| {
        if index < words {
            return painted(line, &palette.error);
        }
        if let Some(place) = line.strip_prefix("  --> ") {
            return format!("{} {place}", painted("  -->", &palette.verbose));
        }
        if let Some(hint) = line.strip_prefix("hint: ") {
            return format!("{} {hint}", painted("hint:", &palette.ok));
        }
        match line.split_once(" |") {
            Some((number, text)) if is_margin(number) => {
                let margin = painted(&format!("{number} |"), &palette.verbose);
                match text.strip_suffix('^') {
                    Some(pad) if pad.trim().is_empty() => {
                        format!("{margin}{pad}{}", painted("^", &palette.error))
                    }
                    _ => margin + text,
                }
            }
            _ => line.to_string(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether this is what stands before the bar: a line's number, or blanks.
fn is_margin(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Location, Source};

    #[test]
    fn colours_mark_words_place_caret_and_hint() {
        let source = Source::new("p.yml", "- hosts: all\n  tsks: []\n");
        let error = Error::parse("no keyword 'tsks'\nin a play")
            .at(&Location::new(&source, 2, 3))
            .hint("did you mean tasks?");
        assert_eq!(
            render(&error, None),
            "[ERROR]: no keyword 'tsks'\nin a play\n  --> p.yml:2:3\n1 | - hosts: all\n2 |   tsks: []\n  |   ^\nhint: did you mean tasks?"
        );
        assert_eq!(
            render(&error, Some(&Palette::default())),
            "\x1b[0;31m[ERROR]: no keyword 'tsks'\x1b[0m\n\x1b[0;31min a play\x1b[0m\n\
             \x1b[0;34m  -->\x1b[0m p.yml:2:3\n\
             \x1b[0;34m1 |\x1b[0m - hosts: all\n\
             \x1b[0;34m2 |\x1b[0m   tsks: []\n\
             \x1b[0;34m  |\x1b[0m   \x1b[0;31m^\x1b[0m\n\
             \x1b[0;32mhint:\x1b[0m did you mean tasks?"
        );
    }
}
