//! Comma separated values as Python's csv module reads them.

/// The rows of a text. Quoted cells may hold delimiters, line breaks and doubled quotes.
pub fn parse(text: &str, delimiter: char, skip_space: bool) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut fresh = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            c if quoted => cell.push(c),
            '"' if fresh => {
                quoted = true;
                fresh = false;
            }
            ' ' if fresh && skip_space => {}
            c if c == delimiter => {
                row.push(std::mem::take(&mut cell));
                fresh = true;
            }
            '\r' | '\n' => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                if !(row.is_empty() && cell.is_empty() && fresh) {
                    row.push(std::mem::take(&mut cell));
                }
                rows.push(std::mem::take(&mut row));
                fresh = true;
            }
            c => {
                cell.push(c);
                fresh = false;
            }
        }
    }
    if !(row.is_empty() && cell.is_empty() && fresh) {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_keep_delimiters() {
        assert_eq!(
            super::parse("a,\"b,\"\"c\"\nd,e\n", ',', false),
            [vec!["a", "b,\"c"], vec!["d", "e"]]
        );
    }
}
