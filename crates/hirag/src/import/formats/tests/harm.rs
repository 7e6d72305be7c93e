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
    let comment = "/Filter /FlateDecode >> % 9 0 obj << /Subtype /Image";
    for (facts, content) in [
        ("/Filter /FlateDecode", raw.as_slice()),
        ("/Filter [/ASCIIHexDecode /FlateDecode]", hex.as_bytes()),
        ("/Filter [/FlateDecode /FlateDecode]", &twice),
        ("/Filter /LZWDecode", &lzw(20_000)),
        ("/Filter /Fl#61teDecode", &zlib),
        ("/Filter [/RL /RL /RL]", &[129; 280]),
        (picture, &zlib),
        (comment, &zlib),
    ] {
        let file = pdf(&[vec![]], Some((facts, content)));
        assert!(file.len() < 600_000, "{facts}");
        assert_eq!(
            refusal("/x.pdf", FileKind::Pdf, &file),
            "archive_limit",
            "{facts}"
        );
    }
}

#[test]
fn contents_that_pose_as_a_picture_are_not_unpacked() {
    let much = [
        b"BT /F1 11 Tf 50 700 Td (Words.) Tj ET",
        &*vec![b' '; 70 << 20],
    ]
    .concat();
    let facts = "/Filter /FlateDecode /Subtype /Image /Width 1 /Height 1";
    let file = pdf(&[vec![]], Some((facts, &packed(&much))));
    assert_eq!(refusal("/x.pdf", FileKind::Pdf, &file), "no_text");
}

#[test]
fn a_page_that_comes_to_more_than_is_read_by_repeating_itself_is_refused() {
    let contents = "4 0 R ".repeat(100);
    let page = format!("/Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [{contents}]");
    let file = loose(&[
        ("/Type /Catalog /Pages 2 0 R", None),
        ("/Type /Pages /Kids [3 0 R] /Count 1", None),
        (&page, None),
        ("/Filter /FlateDecode", Some(&packed(&vec![b' '; 1 << 20]))),
    ]);
    assert_eq!(refusal("/x.pdf", FileKind::Pdf, &file), "archive_limit");
}

/// A document as it is when it is encrypted, for whoever has no password; its streams are the same.
fn encrypted(file: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let salt = [7; 16];
    let user = [&Sha256::digest(&salt[..8])[..], &salt].concat();
    let user: String = user.iter().map(|byte| format!("{byte:02x}")).collect();
    let (owner, key) = ("00".repeat(48), "00".repeat(32));
    let rules = format!(
        "/ID [<00> <00>] /Encrypt << /Filter /Standard /V 5 /R 5 /Length 256 /P -4 /O <{owner}> /U <{user}> /OE <{key}> \
         /UE <{key}> /CF << /C << /CFM /None >> >> /StmF /C /StrF /C >> /Root"
    );
    let root = file.windows(5).rposition(|window| window == b"/Root");
    let (before, behind) = file.split_at(root.unwrap());
    [before, rules.as_bytes(), &behind[5..]].concat()
}

#[test]
fn an_encrypted_pdf_without_a_password_is_read_within_the_same_limits() {
    let content = b"BT /F1 11 Tf 50 700 Td (Locked words.) Tj ET";
    let flate = Some(("/Filter /FlateDecode", &*packed(content)));
    let whole = encrypted(&pdf(&[vec![]], flate));
    let text = &contexts("/x.pdf", FileKind::Pdf, &whole)[0].text;
    assert!(text.contains("Locked words."), "{text}");

    let zlib = packed(&vec![b' '; 70 << 20]);
    for facts in ["/Filter /FlateDecode", "/F /Fl", "/Filter [/Fl#61teDecode]"] {
        let bomb = encrypted(&pdf(&[vec![]], Some((facts, &zlib))));
        assert_eq!(
            refusal("/x.pdf", FileKind::Pdf, &bomb),
            "archive_limit",
            "{facts}"
        );
    }
    // What holds other objects is unpacked before anybody can look into it.
    let facts = "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode";
    let objects = encrypted(&pdf(&[vec![]], Some((facts, &[0; 70_000]))));
    let error = document("/x.pdf", FileKind::Pdf, &objects).unwrap_err();
    assert_eq!(error.code(), "archive_limit");
    assert!(error.to_string().contains("is encrypted"), "{error}");
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

/// A document of these dictionaries, and what stands in those that are streams, without a table of
/// contents.
fn loose(objects: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    for (number, (facts, content)) in (1..).zip(objects) {
        file.extend(format!("{number} 0 obj\n<< {facts} ").into_bytes());
        match content {
            Some(content) => {
                file.extend(format!("/Length {} >>\nstream\n", content.len()).into_bytes());
                file.extend(*content);
                file.extend(b"\nendstream\nendobj\n");
            }
            None => file.extend(b">>\nendobj\n"),
        }
    }
    file.extend(b"trailer\n<< /Size 99 /Root 1 0 R >>\n");
    file
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
