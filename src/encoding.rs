//! Encodings of text under the names that Python has for them.
//!
//! See <https://docs.python.org/3/library/codecs.html#standard-encodings>: what `output_encoding` of the `template`
//! module, `encoding` of lookups and of `b64encode` take. Errors are in Python's words.

use encoding_rs as rs;

/// How text becomes bytes.
#[derive(Clone, Copy)]
enum Codec {
    Utf8,
    /// With a byte order mark in front.
    Utf8Sig,
    Ascii,
    Latin1,
    /// The order of bytes; none is marked by the first character.
    Utf16(Option<Order>),
    Utf32(Option<Order>),
    /// An encoding of the web. `controls`: bytes 0x80 to 0x9f are control characters, as they are on the web for
    /// none of these; where not, what the web takes for a control character is undefined.
    Web(&'static rs::Encoding, Controls),
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Little,
    Big,
}

/// What the codes 0x80 to 0x9f mean.
#[derive(Clone, Copy, PartialEq)]
enum Controls {
    /// As the table says.
    Table,
    /// Control characters.
    All,
    /// Characters where the table has some, else nothing.
    Undefined,
}

fn find(name: &str) -> Option<Codec> {
    use Controls::{All, Table, Undefined};
    let plain: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if matches!(c, '-' | ' ') { '_' } else { c })
        .collect();
    Some(match plain.as_str() {
        "utf_8" | "utf8" | "u8" | "utf" | "cp65001" => Codec::Utf8,
        "utf_8_sig" | "utf8_sig" => Codec::Utf8Sig,
        "ascii" | "us_ascii" | "646" | "ansi_x3.4_1968" | "iso646_us" => Codec::Ascii,
        "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859" | "8859"
        | "cp819" | "iso_ir_100" => Codec::Latin1,
        "utf_16" | "utf16" | "u16" => Codec::Utf16(None),
        "utf_16_le" | "utf_16le" => Codec::Utf16(Some(Order::Little)),
        "utf_16_be" | "utf_16be" => Codec::Utf16(Some(Order::Big)),
        "utf_32" | "utf32" | "u32" => Codec::Utf32(None),
        "utf_32_le" | "utf_32le" => Codec::Utf32(Some(Order::Little)),
        "utf_32_be" | "utf_32be" => Codec::Utf32(Some(Order::Big)),
        "cp874" | "windows_874" => Codec::Web(rs::WINDOWS_874, Undefined),
        "cp1250" | "windows_1250" | "1250" => Codec::Web(rs::WINDOWS_1250, Undefined),
        "cp1251" | "windows_1251" | "1251" => Codec::Web(rs::WINDOWS_1251, Undefined),
        "cp1252" | "windows_1252" | "1252" => Codec::Web(rs::WINDOWS_1252, Undefined),
        "cp1253" | "windows_1253" | "1253" => Codec::Web(rs::WINDOWS_1253, Undefined),
        "cp1254" | "windows_1254" | "1254" => Codec::Web(rs::WINDOWS_1254, Undefined),
        "cp1255" | "windows_1255" | "1255" => Codec::Web(rs::WINDOWS_1255, Undefined),
        "cp1256" | "windows_1256" | "1256" => Codec::Web(rs::WINDOWS_1256, Undefined),
        "cp1257" | "windows_1257" | "1257" => Codec::Web(rs::WINDOWS_1257, Undefined),
        "cp1258" | "windows_1258" | "1258" => Codec::Web(rs::WINDOWS_1258, Undefined),
        "iso_8859_2" | "iso8859_2" | "latin2" | "latin_2" | "l2" => {
            Codec::Web(rs::ISO_8859_2, Table)
        }
        "iso_8859_3" | "iso8859_3" | "latin3" | "l3" => Codec::Web(rs::ISO_8859_3, Table),
        "iso_8859_4" | "iso8859_4" | "latin4" | "l4" => Codec::Web(rs::ISO_8859_4, Table),
        "iso_8859_5" | "iso8859_5" | "cyrillic" => Codec::Web(rs::ISO_8859_5, Table),
        "iso_8859_6" | "iso8859_6" | "arabic" => Codec::Web(rs::ISO_8859_6, Table),
        "iso_8859_7" | "iso8859_7" | "greek" | "greek8" => Codec::Web(rs::ISO_8859_7, Table),
        "iso_8859_8" | "iso8859_8" | "hebrew" => Codec::Web(rs::ISO_8859_8, Table),
        "iso_8859_9" | "iso8859_9" | "latin5" | "l5" => Codec::Web(rs::WINDOWS_1254, All),
        "iso_8859_10" | "iso8859_10" | "latin6" | "l6" => Codec::Web(rs::ISO_8859_10, Table),
        "iso_8859_11" | "iso8859_11" | "thai" => Codec::Web(rs::WINDOWS_874, All),
        "iso_8859_13" | "iso8859_13" | "latin7" | "l7" => Codec::Web(rs::ISO_8859_13, Table),
        "iso_8859_14" | "iso8859_14" | "latin8" | "l8" => Codec::Web(rs::ISO_8859_14, Table),
        "iso_8859_15" | "iso8859_15" | "latin9" | "latin_9" | "l9" => {
            Codec::Web(rs::ISO_8859_15, Table)
        }
        "iso_8859_16" | "iso8859_16" | "latin10" | "l10" => Codec::Web(rs::ISO_8859_16, Table),
        "koi8_r" => Codec::Web(rs::KOI8_R, Table),
        "koi8_u" => Codec::Web(rs::KOI8_U, Table),
        "mac_roman" | "macintosh" | "macroman" => Codec::Web(rs::MACINTOSH, Table),
        "mac_cyrillic" | "maccyrillic" => Codec::Web(rs::X_MAC_CYRILLIC, Table),
        "cp866" | "ibm866" | "866" => Codec::Web(rs::IBM866, Table),
        "big5" | "big5_tw" | "csbig5" => Codec::Web(rs::BIG5, Table),
        "gbk" | "cp936" | "936" | "ms936" | "gb2312" | "euc_cn" | "chinese" => {
            Codec::Web(rs::GBK, Table)
        }
        "gb18030" | "gb18030_2000" => Codec::Web(rs::GB18030, Table),
        "euc_jp" | "eucjp" | "ujis" | "u_jis" => Codec::Web(rs::EUC_JP, Table),
        "iso2022_jp" | "iso_2022_jp" | "csiso2022jp" => Codec::Web(rs::ISO_2022_JP, Table),
        "shift_jis" | "shiftjis" | "sjis" | "s_jis" | "csshiftjis" => {
            Codec::Web(rs::SHIFT_JIS, Table)
        }
        "cp932" | "932" | "ms932" | "mskanji" | "ms_kanji" | "windows_31j" => {
            Codec::Web(rs::SHIFT_JIS, Table)
        }
        "euc_kr" | "euckr" | "korean" | "ksc5601" | "ks_c_5601" | "cp949" | "949" | "uhc" => {
            Codec::Web(rs::EUC_KR, Table)
        }
        _ => return None,
    })
}

fn unknown(name: &str) -> String {
    format!("unknown encoding: {name}")
}

/// The text in the encoding of that name.
///
/// Errors if there is no such encoding, and where it lacks a character of the text.
pub fn encode(text: &str, name: &str) -> Result<Vec<u8>, String> {
    let codec = find(name).ok_or_else(|| unknown(name))?;
    Ok(match codec {
        Codec::Utf8 => text.as_bytes().to_vec(),
        Codec::Utf8Sig => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        Codec::Ascii => return narrow(text, "ascii", 0x80),
        Codec::Latin1 => return narrow(text, "latin-1", 0x100),
        Codec::Utf16(order) => {
            let mark = order.is_none().then_some(0xFEFF);
            mark.into_iter()
                .chain(text.encode_utf16())
                .flat_map(|unit| match order {
                    Some(Order::Big) => unit.to_be_bytes(),
                    _ => unit.to_le_bytes(),
                })
                .collect()
        }
        Codec::Utf32(order) => {
            let mark = order.is_none().then_some('\u{FEFF}');
            mark.into_iter()
                .chain(text.chars())
                .flat_map(|c| match order {
                    Some(Order::Big) => u32::from(c).to_be_bytes(),
                    _ => u32::from(c).to_le_bytes(),
                })
                .collect()
        }
        Codec::Web(table, controls) => {
            let mut out = Vec::with_capacity(text.len());
            for (position, c) in text.chars().enumerate() {
                let control = ('\u{80}'..='\u{9f}').contains(&c);
                let one = match controls {
                    Controls::All if control => Some(vec![c as u8]),
                    Controls::Undefined if control => None,
                    _ => {
                        let mut buffer = [0; 4];
                        let (bytes, _, strange) = table.encode(c.encode_utf8(&mut buffer));
                        let hidden = controls == Controls::All && matches!(&*bytes, [0x80..=0x9f]);
                        (!strange && !hidden).then(|| bytes.into_owned())
                    }
                };
                match one {
                    Some(bytes) => out.extend(bytes),
                    None if table.is_single_byte() => {
                        return Err(format!(
                            "'charmap' codec can't encode character {} in position {position}: \
                             character maps to <undefined>",
                            escaped(c)
                        ));
                    }
                    None => {
                        return Err(format!(
                            "'{}' codec can't encode character {} in position {position}: \
                             illegal multibyte sequence",
                            table.name().to_ascii_lowercase().replace('-', "_"),
                            escaped(c)
                        ));
                    }
                }
            }
            out
        }
    })
}

/// Encodings whose codes are those of Unicode, below a limit.
fn narrow(text: &str, name: &str, limit: u32) -> Result<Vec<u8>, String> {
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    let Some(first) = chars.iter().position(|c| *c >= limit) else {
        return Ok(chars.into_iter().map(|c| c as u8).collect());
    };
    let more = chars[first..].iter().take_while(|c| **c >= limit).count();
    let what = match (more, char::from_u32(chars[first])) {
        (1, Some(c)) => format!("character {} in position {first}", escaped(c)),
        _ => format!("characters in position {first}-{}", first + more - 1),
    };
    Err(format!(
        "'{name}' codec can't encode {what}: ordinal not in range({limit})"
    ))
}

fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ ..0x100 => format!("'\\x{code:02x}'"),
        code @ ..0x1_0000 => format!("'\\u{code:04x}'"),
        code => format!("'\\U{code:08x}'"),
    }
}

/// The text that the bytes are in the encoding of that name.
///
/// Errors if there is no such encoding, and where the bytes are no text in it.
pub fn decode(bytes: &[u8], name: &str) -> Result<String, String> {
    let codec = find(name).ok_or_else(|| unknown(name))?;
    match codec {
        Codec::Utf8 => utf8(bytes),
        Codec::Utf8Sig => utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
        Codec::Ascii => match bytes.iter().position(|b| *b >= 0x80) {
            None => utf8(bytes),
            Some(at) => Err(format!(
                "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                bytes[at]
            )),
        },
        Codec::Latin1 => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        Codec::Utf16(order) => {
            let (order, bytes) = match (order, bytes) {
                (Some(order), bytes) => (order, bytes),
                (None, [0xfe, 0xff, rest @ ..]) => (Order::Big, rest),
                (None, [0xff, 0xfe, rest @ ..]) => (Order::Little, rest),
                (None, bytes) => (Order::Little, bytes),
            };
            let (units, rest) = bytes.as_chunks::<2>();
            let units = units.iter().map(|pair| match order {
                Order::Big => u16::from_be_bytes(*pair),
                Order::Little => u16::from_le_bytes(*pair),
            });
            let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
            match text {
                Some(text) if rest.is_empty() => Ok(text),
                Some(_) => {
                    Err("'utf-16' codec can't decode byte at the end: truncated data".into())
                }
                None => Err("'utf-16' codec can't decode bytes: illegal UTF-16 surrogate".into()),
            }
        }
        Codec::Utf32(order) => {
            let (order, bytes) = match (order, bytes) {
                (Some(order), bytes) => (order, bytes),
                (None, [0, 0, 0xfe, 0xff, rest @ ..]) => (Order::Big, rest),
                (None, [0xff, 0xfe, 0, 0, rest @ ..]) => (Order::Little, rest),
                (None, bytes) => (Order::Little, bytes),
            };
            let (units, rest) = bytes.as_chunks::<4>();
            let units = units.iter().map(|four| {
                char::from_u32(match order {
                    Order::Big => u32::from_be_bytes(*four),
                    Order::Little => u32::from_le_bytes(*four),
                })
            });
            match units.collect::<Option<String>>() {
                Some(text) if rest.is_empty() => Ok(text),
                Some(_) => {
                    Err("'utf-32' codec can't decode bytes at the end: truncated data".into())
                }
                None => Err(
                    "'utf-32' codec can't decode bytes: code point not in range(0x110000)".into(),
                ),
            }
        }
        Codec::Web(table, controls) if table.is_single_byte() => {
            let one = |(at, byte): (usize, &u8)| {
                if controls == Controls::All && (0x80..=0x9f).contains(byte) {
                    return Ok(char::from(*byte));
                }
                table
                    .decode_without_bom_handling_and_without_replacement(&[*byte])
                    .and_then(|text| text.chars().next())
                    .filter(|c| {
                        controls != Controls::Undefined || !('\u{80}'..='\u{9f}').contains(c)
                    })
                    .ok_or_else(|| {
                        format!(
                            "'charmap' codec can't decode byte 0x{byte:02x} in position {at}: \
                             character maps to <undefined>"
                        )
                    })
            };
            bytes.iter().enumerate().map(one).collect()
        }
        Codec::Web(table, _) => table
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(|text| text.into_owned())
            .ok_or_else(|| {
                format!(
                    "'{}' codec can't decode bytes: illegal multibyte sequence",
                    table.name().to_ascii_lowercase().replace('-', "_")
                )
            }),
    }
}

/// Text in UTF-8. Errors where the bytes are none.
pub fn utf8(bytes: &[u8]) -> Result<String, String> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_string()),
        Err(error) => error,
    };
    let start = error.valid_up_to();
    let (length, why) = match error.error_len() {
        None => (bytes.len() - start, "unexpected end of data"),
        Some(length) => match bytes[start] {
            0x80..=0xc1 | 0xf5.. => (length, "invalid start byte"),
            _ => (length, "invalid continuation byte"),
        },
    };
    let what = match length {
        1 => format!("byte 0x{:02x} in position {start}", bytes[start]),
        _ => format!("bytes in position {start}-{}", start + length - 1),
    };
    Err(format!("'utf-8' codec can't decode {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_bytes_that_python_gives_it() {
        let cases: &[(&str, &str, &[u8])] = &[
            ("é", "latin-1", b"\xe9"),
            ("é", "UTF-8", b"\xc3\xa9"),
            ("é", "utf-8-sig", b"\xef\xbb\xbf\xc3\xa9"),
            ("é", "utf-16", b"\xff\xfe\xe9\x00"),
            ("é", "utf_16_be", b"\x00\xe9"),
            ("é", "utf-32-le", b"\xe9\x00\x00\x00"),
            ("€“é", "windows-1252", b"\x80\x93\xe9"),
            ("€é", "iso8859-15", b"\xa4\xe9"),
            ("\u{80}ğ", "iso-8859-9", b"\x80\xf0"),
            ("日本", "shift_jis", b"\x93\xfa\x96\x7b"),
        ];
        for (text, name, bytes) in cases {
            assert_eq!(
                encode(text, name).as_deref(),
                Ok(*bytes),
                "{text} in {name}"
            );
            assert_eq!(
                decode(bytes, name).as_deref(),
                Ok(*text),
                "{text} in {name}"
            );
        }
    }

    #[test]
    fn errors_are_in_pythons_words() {
        let cases = [
            (
                encode("aé", "ascii").map(|_| ()),
                r"'ascii' codec can't encode character '\xe9' in position 1: ordinal not in range(128)",
            ),
            (
                encode("日本", "latin1").map(|_| ()),
                "'latin-1' codec can't encode characters in position 0-1: ordinal not in range(256)",
            ),
            (
                encode("\u{81}", "cp1252").map(|_| ()),
                r"'charmap' codec can't encode character '\x81' in position 0: character maps to <undefined>",
            ),
            (
                encode("é", "klingon").map(|_| ()),
                "unknown encoding: klingon",
            ),
            (
                decode(b"\xe9,1", "utf-8").map(|_| ()),
                "'utf-8' codec can't decode byte 0xe9 in position 0: invalid continuation byte",
            ),
            (
                decode(b"a\xff", "utf-8").map(|_| ()),
                "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
            ),
            (
                decode(b"a\xe2\x82", "utf-8").map(|_| ()),
                "'utf-8' codec can't decode bytes in position 1-2: unexpected end of data",
            ),
            (
                decode(b"\x81", "cp1252").map(|_| ()),
                "'charmap' codec can't decode byte 0x81 in position 0: character maps to <undefined>",
            ),
        ];
        for (got, want) in cases {
            assert_eq!(got, Err(want.to_string()));
        }
    }
}
