//! Bytes to text, whatever the encoding.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Fault;

/// A text, and what had to be guessed.
pub(super) struct Decoded {
    /// With `\n` at the ends of lines, without a byte order mark.
    pub(super) text: String,
    /// What a person should know, as a sentence.
    pub(super) warning: Option<(&'static str, String)>,
}

/// Decodes a file of text. A byte order mark tells the encoding, and so does UTF-8 that is valid;
/// otherwise it is guessed by the bytes. `declared` is what the document says of itself.
///
/// # Errors
/// [`Fault::Binary`] for what is no text.
pub(super) fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> Result<Decoded, Fault> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return finish(&bytes[mark..], encoding, false);
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return finish(bytes, encoding, true);
    }
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(Fault::Binary(offset));
    }
    if std::str::from_utf8(bytes).is_ok() {
        return finish(bytes, UTF_8, false);
    }
    if let Some(offset) = binary(bytes) {
        return Err(Fault::Binary(offset));
    }
    match declared {
        Some(encoding) => finish(bytes, encoding, false),
        None => finish(bytes, guess(bytes), true),
    }
}

/// The encoding that bytes without a mark most likely have. Nearly all of UTF-8 is UTF-8.
pub(super) fn guess(bytes: &[u8]) -> &'static Encoding {
    if mostly_utf_8(bytes) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

fn finish(bytes: &[u8], encoding: &'static Encoding, guessed: bool) -> Result<Decoded, Fault> {
    let (text, bad) = encoding.decode_without_bom_handling(bytes);
    let name = encoding.name();
    let warning = if bad {
        let sentence = format!("some bytes are not {name}; they were replaced by `\u{fffd}`");
        Some(("invalid_bytes", sentence))
    } else if guessed {
        let sentence = format!("it is not UTF-8, and was read as {name}, as its bytes suggest");
        Some(("encoding_guessed", sentence))
    } else {
        None
    };
    if let Some(offset) = text.find('\0') {
        return Err(Fault::Binary(offset));
    }
    Ok(Decoded {
        text: text.replace("\r\n", "\n").replace('\r', "\n"),
        warning,
    })
}

/// Text of western letters in UTF-16 has a zero at every other byte, and only there.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    const LOOKED_AT: usize = 1_024;
    let head = &bytes[..bytes.len().min(LOOKED_AT) & !1];
    if head.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let zeros = |first: usize| {
        let at = head.iter().skip(first).step_by(2);
        at.filter(|&&byte| byte == 0).count()
    };
    let enough = |zeros: usize| zeros * 10 >= head.len() / 2 * 9;
    match (zeros(0), zeros(1)) {
        (0, odd) if enough(odd) => Some(UTF_16LE),
        (even, 0) if enough(even) => Some(UTF_16BE),
        _ => None,
    }
}

/// Where a file without zeros is no text all the same: many bytes that no text has.
fn binary(bytes: &[u8]) -> Option<usize> {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let count = bytes.iter().filter(|byte| control(byte)).count();
    (count * 20 > bytes.len())
        .then(|| bytes.iter().position(control))
        .flatten()
}

/// Whether a few bad bytes stand in what is UTF-8 with letters beyond ASCII otherwise.
fn mostly_utf_8(bytes: &[u8]) -> bool {
    let (mut wide, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        wide += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    wide > bad * 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> (String, Option<&'static str>) {
        let decoded = decode(bytes, None).unwrap();
        (decoded.text, decoded.warning.map(|(code, _)| code))
    }

    #[test]
    fn encodings_are_known_by_mark_by_declaration_or_guessed() {
        assert_eq!(
            text("\u{feff}é\r\nx\ry".as_bytes()),
            ("é\nx\ny".to_owned(), None)
        );
        assert_eq!(text(b"\xff\xfea\0\xe9\0"), ("aé".to_owned(), None));
        assert_eq!(text(b"\xfe\xff\0a\0\xe9"), ("aé".to_owned(), None));
        assert_eq!(text(b"a\0b\0c\0d\0").0, "abcd");
        let latin = b"Die Stra\xdfe f\xfchrt \xfcber die Br\xfccke nach M\xfcnchen.";
        assert_eq!(
            text(latin),
            (
                "Die Straße führt über die Brücke nach München.".to_owned(),
                Some("encoding_guessed")
            )
        );
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode("吾輩は猫である。名前はまだ無い。");
        assert_eq!(text(&japanese).0, "吾輩は猫である。名前はまだ無い。");
        let declared = decode(b"\xe1\xe2", Encoding::for_label(b"iso-8859-7")).unwrap();
        assert_eq!(declared.text, "αβ");
    }

    #[test]
    fn a_bad_byte_in_utf_8_is_replaced_and_told_and_what_is_no_text_is_refused() {
        let mut bytes = "äöü äöü äöü äöü äöü ".as_bytes().to_vec();
        bytes.push(0xff);
        assert_eq!(text(&bytes).1, Some("invalid_bytes"));
        assert_eq!(decode(b"ab\0c", None).err(), Some(Fault::Binary(2)));
        let noise: Vec<u8> = (1..=255).cycle().take(2_000).collect();
        assert!(matches!(decode(&noise, None), Err(Fault::Binary(_))));
    }
}
