//! File contents as text, with nothing lost where they are not UTF-8.

/// Stands for the byte 0x80; those after it follow. The last private-use plane, which no real text uses.
const FIRST: u32 = 0x10_FE80;

/// Bytes as text; a byte that is not UTF-8 becomes one private-use character.
pub fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        let strange = chunk.invalid().iter();
        out.extend(strange.filter_map(|b| char::from_u32(FIRST + u32::from(*b) - 0x80)));
    }
    out
}

/// The bytes of a text made by [`decode`].
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match (c as u32).checked_sub(FIRST) {
            Some(offset @ 0..0x80) => out.push(offset as u8 + 0x80),
            _ => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    out
}

/// What results show of a text: a question mark for bytes that are not UTF-8.
pub fn shown(text: &str) -> String {
    let strange = |c: char| (FIRST..FIRST + 0x80).contains(&u32::from(c));
    let mut out = String::with_capacity(text.len());
    let mut before = false;
    for c in text.chars() {
        match strange(c) {
            false => out.push(c),
            true if !before => out.push('?'),
            true => {}
        }
        before = strange(c);
    }
    out
}

/// A text of [`decode`] as its bytes, each of them a character up to 255: what patterns see that know bytes alone.
pub fn as_bytes(text: &str) -> String {
    encode(text).into_iter().map(char::from).collect()
}

/// The text that [`as_bytes`] was made of.
pub fn of_bytes(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    decode(&bytes)
}

/// Why bytes that are no text cannot be in a result; none if they are text.
pub fn refusal(bytes: &[u8]) -> Option<String> {
    let chunk = bytes.utf8_chunks().find(|c| !c.invalid().is_empty())?;
    let (from, length) = (chunk.valid().chars().count(), chunk.invalid().len());
    let place = match length {
        1 => format!(
            "character '\\udc{:02x}' in position {from}",
            chunk.invalid()[0]
        ),
        n => format!("characters in position {from}-{}", from + n - 1),
    };
    Some(format!(
        "Task failed: Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode {place}: \
         surrogates not allowed"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_bytes_survive() {
        let bytes = b"caf\xe9 \xc3\xa9 \xff\x80";
        assert_eq!(encode(&decode(bytes)), bytes);
        assert_eq!(shown(&decode(bytes)), "caf? é ?");
        assert_eq!(of_bytes(&as_bytes(&decode(bytes))), decode(bytes));
    }
}
