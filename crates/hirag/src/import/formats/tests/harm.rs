//! Documents that are made to fill the memory, or to never end.

use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};

use super::super::{Deadline, Fault, docx as word, epub as book, guarded, html, pdf as portable};
use super::*;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
}

/// One letter by LZW, in codes for ever longer runs of it, of which the longest comes `times` times.
fn lzw(times: usize) -> Vec<u8> {
    let mut codes = vec![256, 65];
    codes.extend(258..4_095);
    codes.extend(vec![4_094; times]);
    codes.push(257);
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u64, 0);
    for (at, code) in codes.iter().enumerate() {
        let entries = (257 + at).min(4_095);
        let width = match entries {
            ..512 => 9,
            512..1_024 => 10,
            1_024..2_048 => 11,
            _ => 12,
        };
        bits = (bits << width) | code;
        held += width;
        while held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes.push((bits << (8 - held)) as u8);
    bytes
}

#[test]
fn a_pdf_that_unpacks_to_more_than_is_read_is_refused_however_it_is_packed() {
    let much = vec![b' '; 70 << 20];
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(&much).unwrap();
    let raw = raw.finish().unwrap();
    let zlib = packed(&much);
    let hex: String = zlib.iter().map(|byte| format!("{byte:02x}")).collect();
    let twice = packed(&zlib);
    let picture = "/Filter /FlateDecode /Subtype /Form /X (/Subtype /Image) /Width 1 /Height 1";
    for (facts, content) in [
        ("/Filter /FlateDecode", raw.as_slice()),
        ("/Filter [/ASCIIHexDecode /FlateDecode]", hex.as_bytes()),
        ("/Filter [/FlateDecode /FlateDecode]", &twice),
        ("/Filter /LZWDecode", &lzw(20_000)),
        ("/Filter /Fl#61teDecode", &zlib),
        (picture, &zlib),
    ] {
        let file = pdf(&[vec![]], Some((facts, content)));
        assert!(file.len() < 600_000, "{facts}");
        assert_eq!(
            refusal("/x.pdf", FileKind::Pdf, &file),
            "archive_limit",
            "{facts}"
        );
    }
    let mut locked = pdf(&[vec![]], Some(("", &vec![b'x'; (1 << 20) + 1])));
    locked.extend(b"trailer << /Encrypt 9 0 R >>");
    assert_eq!(refusal("/x.pdf", FileKind::Pdf, &locked), "archive_limit");
}

#[test]
fn a_pdf_packed_by_lzw_is_read() {
    let content = b"BT /F1 11 Tf 50 700 Td (Old words.) Tj ET";
    // A code a byte, begun anew before codes grow.
    let codes = content
        .chunks(200)
        .flat_map(|part| std::iter::once(256_u32).chain(part.iter().map(|byte| u32::from(*byte))));
    let bits: Vec<u8> = codes
        .chain([257])
        .flat_map(|code| (0..9).rev().map(move |bit| (code >> bit & 1) as u8))
        .collect();
    let bytes: Vec<u8> = bits
        .chunks(8)
        .map(|bits| (0..8).fold(0, |byte, at| byte << 1 | bits.get(at).unwrap_or(&0)))
        .collect();
    let file = pdf(&[vec![]], Some(("/Filter /LZWDecode", &bytes)));
    let text = &contexts("/x.pdf", FileKind::Pdf, &file)[0].text;
    assert!(text.contains("Old words."), "{text}");
}

/// A page that draws a form, which draws another a hundred times, and so on.
fn forms() -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut object = |n: usize, facts: &str, content: &str| {
        file.extend(
            format!(
                "{n} 0 obj\n<< {facts} /Length {} >>\nstream\n{content}\nendstream\nendobj\n",
                content.len()
            )
            .into_bytes(),
        );
    };
    let (draw, deepest) = ("/X Do ".repeat(100), 9);
    for n in 4..deepest {
        let next = format!("/Resources << /XObject << /X {} 0 R >> >>", n + 1);
        let facts = format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] {next}");
        object(n, &facts, &draw);
    }
    object(deepest, "/Type /XObject /Subtype /Form /BBox [0 0 9 9]", "");
    object(10, "", "/X Do");
    file.extend(
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >> /Contents 10 0 R >>\n\
        endobj\ntrailer\n<< /Size 11 /Root 1 0 R >>\n",
    );
    file
}

#[test]
fn a_page_that_draws_itself_for_ever_is_left_at_its_time() {
    let bytes = forms();
    let file = file(Path::new("/x.pdf"), FileKind::Pdf);
    let soon = Deadline::within(Duration::from_millis(300));
    let Err(Fault::Refused(code, _)) = guarded(|| portable::read(&file, &bytes, soon)) else {
        panic!("it has an end");
    };
    assert!(
        ["document_too_slow", "archive_limit"].contains(&code),
        "{code}"
    );
}

#[test]
fn a_document_whose_time_is_over_is_refused_by_every_reader() {
    let over = Deadline::within(Duration::ZERO);
    let file = file(Path::new("/x"), FileKind::Pdf);
    let page = pdf(&[vec![(50, 700, 11, "Text.")]], None);
    let text = docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>");
    let chapters = epub(&[("a", "<p>x</p>")], &[]);
    for read in [
        guarded(|| portable::read(&file, &page, over)),
        guarded(|| word::read(&file, &text, over)),
        guarded(|| book::read(&file, &chapters, over)),
        guarded(|| html::read(&file, b"<p>x</p>", over)),
    ] {
        let Err(Fault::Refused(code, reason)) = read else {
            panic!("refused");
        };
        assert_eq!(code, "document_too_slow", "{reason}");
    }
}

#[test]
fn an_archive_with_a_password_is_told_from_a_damaged_one() {
    let mut bytes = docx("<w:p/>");
    let mut at = 0;
    for (mark, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        while let Some(found) = bytes[at..].windows(4).position(|window| window == mark) {
            bytes[at + found + flags] |= 1;
            at += found + 4;
        }
    }
    assert_eq!(refusal("/x.docx", FileKind::Docx, &bytes), "encrypted_file");
}

#[test]
fn a_chapter_of_many_megabytes_is_left_out_and_the_others_are_read() {
    let long = "<p>word</p>".repeat(1_600_000);
    let noise: String = (0..900_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_string())
        .collect();
    let book = epub(
        &[
            ("a", &format!("{long}<!-- {noise} -->")),
            ("b", "<p>Short.</p>"),
        ],
        &[],
    );
    let read = document("/b.epub", FileKind::Epub, &book).unwrap();
    assert_eq!(read.warnings[0].code, "chapter_unreadable");
    assert!(read.contexts[0].text.contains("Short."));
}
