mod harm;
mod shapes;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::context::NewContext;
use crate::import::tests::{LIMITS, SETTINGS, estimator};
use crate::import::{
    Contents, Document, FileKind, ImportError, ImportSettings, Problem, Reader, SourceFile,
};
use crate::tokens::TokenEstimatorKind;

fn reader(settings: ImportSettings) -> Reader {
    Reader::new(settings, LIMITS, estimator(TokenEstimatorKind::Tiktoken)).unwrap()
}

fn file(path: &Path, kind: FileKind) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        source: path.to_string_lossy().into_owned(),
        kind,
        bytes: 0,
        named: false,
    }
}

fn document(name: &str, kind: FileKind, bytes: &[u8]) -> Result<Document, ImportError> {
    reader(SETTINGS).read(&file(Path::new(name), kind), bytes)
}

fn contexts(name: &str, kind: FileKind, bytes: &[u8]) -> Vec<NewContext> {
    document(name, kind, bytes).unwrap().contexts
}

fn refusal(name: &str, kind: FileKind, bytes: &[u8]) -> String {
    document(name, kind, bytes).unwrap_err().code().to_owned()
}

type Entry = Result<NewContext, Problem>;

fn entries(name: &str, kind: FileKind, bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    match reader(SETTINGS).open(&file(&path, kind))? {
        Contents::Entries(entries) => Ok(entries.collect()),
        Contents::Document(_) => panic!("a stream"),
    }
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn metadata(new: &NewContext) -> Json {
    Json::from(new.metadata.clone())
}

#[test]
fn whoever_imports_says_what_documents_are_unless_they_say_it_themselves() {
    let kind = |text: &str| {
        let reader = reader(SETTINGS).called(Some("manual".to_owned()));
        let file = file(Path::new("/a/x.md"), FileKind::Markdown);
        let document = reader.read(&file, text.as_bytes()).unwrap();
        document.contexts[0].metadata["doc_type"].clone()
    };
    assert_eq!(kind("Words."), "manual");
    assert_eq!(kind("---\ndoc_type: letter\n---\nWords."), "letter");
}

#[test]
fn a_page_gives_its_main_part_under_its_headings() {
    let html = "<!doctype html><html lang=en><head><title>Bread</title><meta name=author content=Ann>\
        <style>p{}</style></head><body><nav><a href=/>Home</a></nav><main><h1>Bread</h1><p>Flour &amp;\n water.<br>Salt.</p>\
        <h2>Oven</h2><ul><li>Heat<ul><li>to 250</li></ul></li><li>Bake</li></ul><pre><code class=\"language-sh\">a\n  b</code></pre>\
        <table><tr><th>a<th>b<tr><td>1<td>2</table></main><footer>Imprint</footer></body></html>";
    let new = &contexts("/a/bread.html", FileKind::Html, html.as_bytes())[0];
    assert_eq!(
        new.text,
        "# Bread\n\nFlour & water.\nSalt.\n\n## Oven\n\n- Heat\n  - to 250\n- Bake\n\n```sh\na\n  b\n```\n\n| a | b |\n| 1 | 2 |"
    );
    assert_eq!(
        metadata(new),
        json!({"doc_type": "html", "title": "Bread", "file": "bread.html", "heading": "Bread",
            "author": "Ann", "language": "en"})
    );
}

#[test]
fn a_page_without_marks_is_kept_whole_and_a_page_of_menus_gives_its_article() {
    let header = "<body><header><h1>Title</h1><p>By Ann</p></header><p>One.</p><p>Two.</p>";
    let text = &contexts("/a/x.html", FileKind::Html, header.as_bytes())[0].text;
    assert!(
        ["Title", "By Ann", "One.", "Two."]
            .iter()
            .all(|part| text.contains(part)),
        "{text}"
    );

    let menu =
        "<li><a href=/x>Some other page of this site that nobody asked for</a></li>".repeat(60);
    let words = "The bridge was built by two engineers, and it was opened in spring, with music, by the town. ".repeat(6);
    let body = format!("<p>{words}</p>").repeat(4);
    let html = format!(
        "<html><body><div class=menu><ul>{menu}</ul></div><div class=entry>{body}</div></body></html>"
    );
    let all = contexts("/a/x.html", FileKind::Html, html.as_bytes());
    assert!(
        all.iter()
            .any(|new| new.text.contains("The bridge was built"))
    );
    assert!(!all.iter().any(|new| new.text.contains("nobody asked for")));
}

#[test]
fn pages_in_other_encodings_and_too_deep_ones_are_told_apart() {
    let greek =
        b"<html><head><meta charset='iso-8859-7'></head><body><p>\xe1\xe2\xe3</p></body></html>";
    assert!(
        contexts("/g.html", FileKind::Html, greek)[0]
            .text
            .contains("αβγ")
    );
    let deep = format!("{}x{}", "<div>".repeat(30_000), "</div>".repeat(30_000));
    assert_eq!(
        refusal("/d.html", FileKind::Html, deep.as_bytes()),
        "damaged_file"
    );
    assert_eq!(
        refusal("/e.html", FileKind::Html, b"<html></html>"),
        "empty_file"
    );
}

fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\" xmlns:mc=\"mc\"><w:body>{body}</w:body></w:document>"
    );
    let styles = "<w:styles xmlns:w='w'><w:style w:styleId='berschrift1'><w:name w:val='heading 1'/></w:style>\
        <w:style w:styleId='X'><w:name w:val='Mine'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style></w:styles>";
    let core = "<cp:coreProperties xmlns:cp='c' xmlns:dc='d'><dc:title>The plan</dc:title><dc:creator>Ann &amp; Bo</dc:creator>\
        <dcterms:created>2024-01-31T10:00:00Z</dcterms:created></cp:coreProperties>";
    zipped(&[
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("docProps/core.xml", core.as_bytes()),
    ])
}

#[test]
fn a_word_document_gives_headings_lists_tables_and_who_wrote_it() {
    let p = |style: &str, text: &str| {
        format!("<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    };
    let item = "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/></w:numPr></w:pPr><w:r><w:t>it</w:t></w:r><w:r><w:t xml:space='preserve'>em </w:t></w:r></w:p>";
    let body = [
        p("berschrift1", "First"),
        p("None", "A &lt; B"),
        item.to_owned(),
        item.to_owned(),
        p("X", "Second"),
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>".to_owned(),
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>".to_owned(),
    ]
    .concat();
    let new = &contexts("/p.docx", FileKind::Docx, &docx(&body))[0];
    let own = "# First\n\nA < B\n\n- item\n- item\n\n## Second\n\n| a | b |\n\nkept";
    assert_eq!(new.text, format!("The plan\n\n{own}"));
    assert_eq!(new.metadata["author"], "Ann & Bo");
    assert_eq!(new.metadata["title"], "The plan");
    assert_eq!(new.created_at.unwrap().to_string(), "2024-01-31T10:00:00Z");
}

fn epub(chapters: &[(&str, &str)], more: &[(&str, &[u8])]) -> Vec<u8> {
    let container = "<container><rootfiles><rootfile full-path='O/b.opf'/></rootfiles></container>";
    let items: String = chapters
        .iter()
        .map(|(name, _)| format!("<item id='{name}' href='{name}.xhtml'/>"))
        .collect();
    let order: String = chapters
        .iter()
        .map(|(name, _)| format!("<itemref idref='{name}'/>"))
        .collect();
    let package = format!(
        "<package><metadata><dc:title>Book</dc:title><dc:creator>Ann</dc:creator><dc:language>en</dc:language></metadata>\
        <manifest>{items}<item id='nav' href='nav.xhtml' properties='nav'/></manifest><spine><itemref idref='nav'/>{order}</spine></package>"
    );
    let pages: Vec<(String, String)> = chapters
        .iter()
        .map(|(name, body)| {
            (
                format!("O/{name}.xhtml"),
                format!("<html><body>{body}</body></html>"),
            )
        })
        .collect();
    let mut files: Vec<(&str, &[u8])> = vec![
        ("META-INF/container.xml", container.as_bytes()),
        ("O/b.opf", package.as_bytes()),
        ("O/nav.xhtml", b"<html><body>Contents</body></html>"),
    ];
    files.extend(
        pages
            .iter()
            .map(|(name, page)| (name.as_str(), page.as_bytes())),
    );
    files.extend(more);
    zipped(&files)
}

#[test]
fn a_book_gives_its_chapters_in_order_and_a_missing_one_is_told() {
    let book = epub(
        &[
            ("a", "<h1>One</h1><p>First.</p>"),
            ("b", "<p>More.</p>"),
            ("c", "<h1>Two</h1><p>Second.</p>"),
        ],
        &[],
    );
    let all = contexts("/b.epub", FileKind::Epub, &book);
    let told: Vec<_> = all
        .iter()
        .map(|new| (new.text.as_str(), new.metadata["chapter"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("Book\n\n# One\n\nFirst.", "One"),
            ("Book\n\nMore.", "One"),
            ("Book\n\n# Two\n\nSecond.", "Two")
        ]
    );
    assert_eq!(all[2].metadata["heading"], "Book > Two");
    assert_eq!(
        (all[2].position, &all[2].metadata["author"]),
        (Some(2), &json!("Ann"))
    );

    let locked = b"<encryption><EncryptedData><CipherData><CipherReference URI='O/a.xhtml'/></CipherData></EncryptedData></encryption>";
    let book = epub(&[("a", "x")], &[("META-INF/encryption.xml", locked)]);
    assert_eq!(refusal("/b.epub", FileKind::Epub, &book), "encrypted_file");
    let book = epub(&[("a", "\0")], &[]);
    assert_eq!(refusal("/b.epub", FileKind::Epub, &book), "damaged_file");
}

#[test]
fn archives_that_are_cut_off_too_large_or_something_else_are_refused() {
    let whole = docx("<w:p/>");
    for (bytes, code) in [
        (&whole[..whole.len() / 2], "damaged_file"),
        (b"PK\x03\x04", "damaged_file"),
        (b"hello", "damaged_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "encrypted_file"),
        (&zipped(&[("x", b"y")]), "damaged_file"),
        (
            &zipped(&[("word/document.xml", &vec![b' '; 30 << 20])]),
            "archive_limit",
        ),
    ] {
        assert_eq!(refusal("/x.docx", FileKind::Docx, bytes), code);
    }
    let many: Vec<String> = (0..=super::archive::MAX_ENTRIES)
        .map(|n| n.to_string())
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(
        refusal("/x.epub", FileKind::Epub, &zipped(&many)),
        "archive_limit"
    );
}

/// A document with one font and the lines of each page, at these places and sizes.
fn pdf(pages: &[Vec<(u32, u32, u32, &str)>], filter: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        Vec::new(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        b"<< /Title (The report) /Author (Ann) /CreationDate (D:20240131100000Z) >>".to_vec(),
    ];
    let mut kids = String::new();
    for lines in pages {
        let mut content: Vec<u8> = lines
            .iter()
            .map(|(x, y, size, text)| format!("BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n"))
            .collect::<String>()
            .into_bytes();
        let mut dict = String::new();
        if let Some((facts, packed)) = filter {
            (content, dict) = (packed.to_vec(), facts.to_owned());
        }
        let number = objects.len() + 1;
        kids.push_str(&format!("{number} 0 R "));
        objects.push(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>", number + 1).into_bytes());
        let mut stream = format!("<< /Length {} {dict} >>\nstream\n", content.len()).into_bytes();
        stream.extend(content);
        stream.extend(b"\nendstream");
        objects.push(stream);
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()).into_bytes();
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (n, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{} 0 obj\n", n + 1).into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    file.extend(
        format!(
            "{table}trailer\n<< /Size {} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n",
            objects.len() + 1
        )
        .into_bytes(),
    );
    file
}

#[test]
fn a_pdf_gives_the_paragraphs_of_every_page_with_its_number() {
    let first = vec![
        (50, 780, 9, "Yearly report"),
        (50, 700, 18, "Bridges"),
        (50, 660, 11, "The bridge was built in spring, and the engi-"),
        (50, 646, 11, "neers were glad."),
        (50, 610, 11, "It was paid for by the"),
        (290, 30, 9, "1"),
    ];
    let second = vec![
        (50, 780, 9, "Yearly report"),
        (50, 700, 11, "town alone. Later a road was added."),
        (290, 30, 9, "2"),
    ];
    let third = vec![
        (50, 780, 9, "Yearly report"),
        (50, 700, 11, "The end."),
        (290, 30, 9, "3"),
    ];
    let all = contexts("/r.pdf", FileKind::Pdf, &pdf(&[first, second, third], None));
    let told: Vec<_> = all
        .iter()
        .map(|new| (new.text.as_str(), new.metadata["page"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "The report\n\n# Bridges\n\nThe bridge was built in spring, and the engineers were glad.\n\nIt was paid for by the town alone.",
                1
            ),
            ("The report > Bridges\n\nLater a road was added.", 2),
            ("The report > Bridges\n\nThe end.", 3),
        ]
    );
    assert_eq!(all[0].metadata["author"], "Ann");
    assert_eq!(
        all[0].created_at.unwrap().to_string(),
        "2024-01-31T10:00:00Z"
    );
}

#[test]
fn bad_pdfs_are_refused_with_the_reason() {
    let page = vec![(50, 700, 11, "Text.")];
    let whole = pdf(std::slice::from_ref(&page), None);
    let blank = pdf(&[vec![]], None);
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 70 << 20]).unwrap();
    let bomb = pdf(
        &[page],
        Some(("/Filter /FlateDecode", &bomb.finish().unwrap())),
    );
    let text = String::from_utf8_lossy(&whole).into_owned();
    let locked = text.replace("/Info 4 0 R", "/Info 4 0 R /ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <0000000000000000000000000000000000000000000000000000000000000000> /U <0000000000000000000000000000000000000000000000000000000000000000> /P -4 >>");
    for (bytes, code) in [
        (&b""[..], "empty_file"),
        (b"<html>not a pdf</html>", "damaged_file"),
        (b"%PDF-1.7\n", "damaged_file"),
        (&whole[..120], "damaged_file"),
        (&blank, "no_text"),
        (&bomb, "archive_limit"),
        (locked.as_bytes(), "encrypted_file"),
    ] {
        let error = document("/x.pdf", FileKind::Pdf, bytes).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    // A table of contents that is gone is put together again.
    let cut = &whole[..whole.len() - 60];
    assert!(
        contexts("/x.pdf", FileKind::Pdf, cut)[0]
            .text
            .contains("Text.")
    );
}

#[test]
fn rows_are_contexts_with_their_columns_as_metadata() {
    let table = "\u{feff}title;text;year;code;session;date\nOne;\"First; with\nlines\";1999;007;s1;2024-01-31\n\n;Second;;;;\nThird;;2;;;;extra\n";
    let all: Vec<_> = entries("t.csv", FileKind::Csv, table.as_bytes()).unwrap();
    let all: Vec<_> = all.into_iter().map(|entry| entry.unwrap()).collect();
    assert_eq!(all[0].text, "One\n\nFirst; with\nlines");
    assert_eq!(
        metadata(&all[0]),
        json!({"doc_type": "csv", "title": "One", "year": 1999, "code": "007", "session": "s1",
            "date": "2024-01-31", "heading": "One", "prefix": "One"})
    );
    assert_eq!(
        (
            all[0].session.as_deref(),
            all[0].created_at.unwrap().to_string()
        ),
        (Some("s1"), "2024-01-31T00:00:00Z".to_owned())
    );
    assert_eq!(all[1].text, "Second");
    assert_eq!(all[2].text, "title: Third\nyear: 2\ncolumn 7: extra");
    assert_eq!(all.len(), 3);

    let plain = entries("t.csv", FileKind::Csv, b"name\tcity\nAnn\tK\xf6ln\n").unwrap();
    assert_eq!(plain[0].as_ref().unwrap().text, "name: Ann\ncity: Köln");
    assert_eq!(
        entries("t.csv", FileKind::Csv, b"a,b\0")
            .unwrap_err()
            .code(),
        "binary_file"
    );
}

#[test]
fn a_quote_that_is_not_closed_ends_the_table_and_not_the_memory() {
    let table = format!(
        "text\nfine\n\"{}",
        "x".repeat(3 * SETTINGS.max_line_bytes + 600_000)
    );
    let all = entries("t.csv", FileKind::Csv, table.as_bytes()).unwrap();
    assert_eq!(all[0].as_ref().unwrap().text, "fine");
    assert_eq!(all[1].as_ref().unwrap_err().code, "invalid_csv");
    assert_eq!(all.len(), 2);
}

fn chatgpt() -> Json {
    let node = |id: &str, parent: Option<&str>, role: &str, at: f64, text: &str| {
        json!({"id": id, "parent": parent, "children": [], "message": {"id": id, "author": {"role": role},
            "create_time": at, "content": {"content_type": "text", "parts": [text]}, "metadata": {}}})
    };
    json!([
        {"title": "Bread", "create_time": 1_700_000_000.5, "update_time": 1, "conversation_id": "c-1", "current_node": "d",
         "mapping": {
            "root": {"id": "root", "parent": null, "message": null},
            "s": node("s", Some("root"), "system", 0.0, "be nice"),
            "a": node("a", Some("s"), "user", 1_700_000_001.0, "How long does bread bake?"),
            "b": node("b", Some("a"), "assistant", 1_700_000_002.0, "An answer that was thrown away."),
            "c": node("c", Some("a"), "assistant", 1_700_000_003.0, "About 40 minutes."),
            "d": node("d", Some("c"), "user", 1_700_000_004.0, "Thanks"),
         }},
        null,
        {"title": "Hole", "mapping": {"x": 7, "y": node("y", None, "user", 0.0, "Still here")}},
        {"title": "No messages"},
    ])
}

#[test]
fn conversations_of_chatgpt_give_what_was_seen_and_holes_are_told() {
    let json = chatgpt().to_string();
    for bytes in [
        json.clone().into_bytes(),
        zipped(&[
            ("user.json", b"{}"),
            ("conversations.json", json.as_bytes()),
        ]),
    ] {
        let all = entries("export", FileKind::Chatgpt, &bytes).unwrap();
        let good: Vec<_> = all.iter().flatten().collect();
        let texts: Vec<_> = good.iter().map(|new| new.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "Bread\n\nHow long does bread bake?",
                "Bread\n\nAbout 40 minutes.",
                "Bread\n\nThanks",
                "Hole\n\nStill here"
            ]
        );
        let answer = good[1];
        assert_eq!(answer.session.as_deref(), Some("c-1"));
        assert_eq!(answer.created_at.unwrap().as_second(), 1_700_000_003);
        assert_eq!(answer.source_key.as_deref(), Some("c#1"));
        assert_eq!(
            (&answer.metadata["speaker"], &answer.metadata["doc_type"]),
            (&json!("assistant"), &json!("chat"))
        );
        let told: Vec<_> = all
            .iter()
            .filter_map(|entry| entry.as_ref().err())
            .map(|p| p.message.as_str())
            .collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("entry 2 ")
                && told[1].starts_with("entry 3: its node `x`")
                && told[2].starts_with("entry 4 "),
            "{told:?}"
        );
    }
}

#[test]
fn conversations_of_claude_have_words_attachments_and_times() {
    let json = json!([{"uuid": "u", "name": "", "created_at": "2024-01-31T10:00:00Z", "chat_messages": [
        {"uuid": "m1", "text": "old", "sender": "human", "created_at": "2024-01-31T10:00:01.5Z",
         "content": [{"type": "text", "text": "Look at this."}, {"type": "tool_use", "input": {}}],
         "attachments": [{"file_name": "a.txt", "extracted_content": "Attached words."}]},
        {"sender": 7},
        {"uuid": "m2", "text": "I see.", "sender": "assistant"},
    ]}]);
    let all = entries(
        "conversations.json",
        FileKind::Claude,
        json.to_string().as_bytes(),
    )
    .unwrap();
    let good: Vec<_> = all.iter().flatten().collect();
    let texts: Vec<_> = good.iter().map(|new| new.text.as_str()).collect();
    assert_eq!(texts, ["Look at this.", "Attached words.", "I see."]);
    assert_eq!(good[1].metadata["attachment"], "a.txt");
    assert_eq!(
        (good[1].source_key.as_deref(), good[2].session.as_deref()),
        (Some("m1#2"), Some("u"))
    );
    assert_eq!(
        good[2].created_at.unwrap().to_string(),
        "2024-01-31T10:00:00Z"
    );
    assert_eq!(all.iter().filter(|entry| entry.is_err()).count(), 1);
}

#[test]
fn memories_of_mem0_and_of_the_mcp_server_are_contexts_of_their_own() {
    let json = json!({"results": [{"id": "i", "memory": "Likes tea.", "user_id": "ann", "agent_id": "bot", "run_id": "r",
        "metadata": {"topic": "food"}, "categories": ["food"], "created_at": "2024-01-31T10:00:00-07:00"}, {"id": "j"}]});
    let all = entries("m.json", FileKind::Mem0, json.to_string().as_bytes()).unwrap();
    let new = all[0].as_ref().unwrap();
    assert_eq!(
        (
            new.text.as_str(),
            new.agent.as_deref(),
            new.session.as_deref()
        ),
        ("Likes tea.", Some("bot"), Some("r"))
    );
    assert_eq!(
        metadata(new),
        json!({"doc_type": "memory", "title": "Likes tea.", "topic": "food", "user": "ann", "categories": ["food"]})
    );
    assert!(all[1].as_ref().unwrap_err().message.contains("entry 2"));

    let lines = "{\"type\":\"entity\",\"name\":\"Ann\",\"entityType\":\"person\",\"observations\":[\"Likes tea\",\"Is 40\"]}\n\
        {\"type\":\"relation\",\"from\":\"Ann\",\"to\":\"Acme\",\"relationType\":\"works_at\"}\n{\"type\":\"other\"}\n";
    let all = entries("memory.jsonl", FileKind::McpMemory, lines.as_bytes()).unwrap();
    let texts: Vec<_> = all.iter().flatten().map(|new| new.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Ann (person): Likes tea",
            "Ann (person): Is 40",
            "Ann works at Acme"
        ]
    );
    assert_eq!(
        all[2].as_ref().unwrap().metadata["entity"],
        json!(["Ann", "Acme"])
    );
    assert_eq!(all[3].as_ref().unwrap_err().line, Some(3));
}

#[test]
fn a_packed_export_that_unpacks_without_end_is_broken_off() {
    let bomb = zipped(&[(
        "conversations.json",
        &[b"[".as_slice(), &vec![b' '; 30 << 20]].concat(),
    )]);
    let all = entries("export.zip", FileKind::Chatgpt, &bomb).unwrap();
    let error = all[0].as_ref().unwrap_err();
    assert!(error.message.contains("200 times"), "{}", error.message);
    assert_eq!(all.len(), 1);
}

#[test]
fn code_is_called_by_its_file_and_told_by_its_language() {
    let new = &contexts("/a/main.rs", FileKind::Code, b"fn main() {}\n")[0];
    assert_eq!(new.text, "main.rs\n\nfn main() {}");
    assert_eq!(
        (&new.metadata["language"], &new.metadata["doc_type"]),
        (&json!("rust"), &json!("code"))
    );
}

const KINDS: [FileKind; 12] = [
    FileKind::Markdown,
    FileKind::Text,
    FileKind::Code,
    FileKind::Html,
    FileKind::Pdf,
    FileKind::Docx,
    FileKind::Epub,
    FileKind::Csv,
    FileKind::Chatgpt,
    FileKind::Claude,
    FileKind::Mem0,
    FileKind::McpMemory,
];

/// Something of every format, which a few changed bytes make wrong in a way that is not chance.
fn seed() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        Just(pdf(&[vec![(50, 700, 11, "Some text.")]], None)),
        Just(docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>")),
        Just(epub(&[("a", "<p>x</p>")], &[])),
        Just(chatgpt().to_string().into_bytes()),
        Just(b"<html><body><table><tr><td><ul><li>x</body>".to_vec()),
        Just(b"a,b\n\"1\",2\n".to_vec()),
        Just(b"{\"type\":\"entity\",\"name\":\"A\"}\n".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_as_any_format_are_survived(
        seed in seed(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = seed;
        if !bytes.is_empty() {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut.index(3) == 0 {
                bytes.truncate(cut.index(bytes.len()));
            }
        }
        for kind in KINDS {
            if kind.is_streamed() {
                let _ = entries("any", kind, &bytes);
            } else {
                let _ = document("/any.rs", kind, &bytes);
            }
        }
    }
}
