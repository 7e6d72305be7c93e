//! Documents that other programs made: every paragraph is found again, with its heading or page.
//! And files that are made to do harm, change, or may not be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hirag::HiragManager;
use hirag::context::Context;
use hirag::import::ImportReport;
use hirag::manager::ImportOptions;
use hirag_tests::place::{Place, everything};

const CHAPTERS: usize = 4;
const PARAGRAPHS: usize = 6;

/// A paragraph that is like no other, with a table, a list and code between some.
fn paragraph(chapter: usize, n: usize) -> String {
    format!(
        "Paragraph {chapter}-{n} says that the bridge number {n} of the river {chapter} was built by {} people, \
         who were paid in copper; it is {} metres long and stands on stone.",
        chapter * 7 + n,
        chapter * 100 + n
    )
}

fn heading(chapter: usize) -> String {
    format!("River number {chapter}")
}

/// The document that the programs are given.
fn book() -> String {
    let mut book = "---\ntitle: The bridges\nauthor: Ada Meyer\nlang: en\n---\n\n".to_owned();
    for chapter in 1..=CHAPTERS {
        write!(book, "# {}\n\n", heading(chapter)).unwrap();
        for n in 1..=PARAGRAPHS {
            write!(book, "{}\n\n", paragraph(chapter, n)).unwrap();
        }
        write!(
            book,
            "- first item of {chapter}\n- second item of {chapter}\n\n"
        )
        .unwrap();
        write!(book, "```sh\nmeasure --river {chapter}\n```\n\n").unwrap();
        write!(
            book,
            "| place | height |\n|---|---|\n| pier {chapter} | {chapter}2 m |\n\n"
        )
        .unwrap();
    }
    book
}

fn run(program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}; run `make setup`"));
    assert!(
        ran.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The book as pandoc makes it.
fn pandoc(folder: &Path, ending: &str) -> PathBuf {
    let source = folder.join("source.md.in");
    fs::write(&source, book()).unwrap();
    let made = folder.join(format!("bridges.{ending}"));
    let (from, to) = (source.to_str().unwrap(), made.to_str().unwrap());
    run(
        "pandoc",
        &[
            "--standalone",
            "--toc",
            "--from=markdown",
            from,
            "--output",
            to,
        ],
    );
    made
}

/// The book as Chromium prints it, every chapter on pages of its own.
fn printed(folder: &Path) -> PathBuf {
    let mut page = "<html><head><title>The bridges</title><style>h1 { break-before: page } h1:first-of-type { break-before: auto }</style></head><body>".to_owned();
    for chapter in 1..=CHAPTERS {
        write!(page, "<h1>{}</h1>", heading(chapter)).unwrap();
        for n in 1..=PARAGRAPHS {
            write!(page, "<p>{}</p>", paragraph(chapter, n)).unwrap();
        }
    }
    let (source, made) = (folder.join("page.html.in"), folder.join("bridges.pdf"));
    let named = folder.join("print.html");
    fs::write(&source, &page).unwrap();
    fs::rename(&source, &named).unwrap();
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
    let chromium = chromium.into_iter().find(|path| Path::new(path).exists());
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let to = format!("--print-to-pdf={}", made.display());
    run(
        chromium.unwrap_or("chromium"),
        &[
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            &profile,
            "--no-pdf-header-footer",
            &to,
            named.to_str().unwrap(),
        ],
    );
    made
}

/// A document as LibreOffice saves it in another form, in a folder of its own.
fn saved(document: &Path, ending: &str) -> PathBuf {
    let folder = document.parent().unwrap();
    let profile = format!(
        "-env:UserInstallation=file://{}",
        folder.join("office").display()
    );
    let made = folder.join("saved");
    run(
        "soffice",
        &[
            &profile,
            "--headless",
            "--convert-to",
            ending,
            "--outdir",
            made.to_str().unwrap(),
            document.to_str().unwrap(),
        ],
    );
    made.join(document.with_extension(ending).file_name().unwrap())
}

async fn import(manager: &HiragManager, path: &Path) -> ImportReport {
    let options = ImportOptions::default();
    manager
        .import(vec![path.to_owned()], options, |_| {})
        .await
        .unwrap()
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The one context that has all of `text`.
fn holding<'a>(all: &'a [Context], text: &str) -> &'a Context {
    let found = all
        .iter()
        .find(|context| plain(&context.text).contains(text));
    found.unwrap_or_else(|| {
        let texts: Vec<_> = all.iter().map(|context| context.text.as_str()).collect();
        panic!("`{text}` is in none of {texts:#?}")
    })
}

/// The last heading above `text`: in the chunk itself, or else of those that the chunk stands under.
fn heading_of(found: &Context, text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let start = words[..2].join(" ");
    let above = found.text.split(&start).next().unwrap();
    let own = above.lines().rev().find_map(|line| line.strip_prefix('#'));
    let path = found.metadata["heading"].as_str().unwrap();
    let last = own.unwrap_or_else(|| path.rsplit(" > ").next().unwrap());
    last.trim_start_matches('#').trim().to_owned()
}

async fn imported(made: &Path) -> Vec<Context> {
    let place = Place::new();
    let manager = place.open().await;
    let report = import(&manager, made).await;
    assert!(
        report.failed.is_empty() && report.warnings.is_empty(),
        "{report:?}"
    );
    let all = everything(&manager).await;
    let again = import(&manager, made).await;
    assert_eq!((again.imported, again.updated, again.removed), (0, 0, 0));
    all
}

#[tokio::test]
async fn every_paragraph_of_a_word_document_a_book_and_a_page_is_found_under_its_heading() {
    let dir = tempfile::tempdir().unwrap();
    let mut documents = ["docx", "epub", "html"]
        .map(|ending| pandoc(dir.path(), ending))
        .to_vec();
    documents.push(saved(&documents[0], "docx"));
    for document in documents {
        let all = imported(&document).await;
        let ending = document.extension().unwrap().to_str().unwrap();
        for chapter in 1..=CHAPTERS {
            let heading = heading(chapter);
            for n in 1..=PARAGRAPHS {
                let found = holding(&all, &paragraph(chapter, n));
                let path = found.metadata["heading"].as_str().unwrap();
                assert!(path.starts_with("The bridges"), "{ending}: {path}");
                assert_eq!(
                    heading_of(found, &paragraph(chapter, n)),
                    heading,
                    "{ending}: {path}"
                );
                assert_eq!(found.metadata["doc_type"], ending);
                assert_eq!(found.metadata["title"], "The bridges");
                assert_eq!(found.metadata["author"], "Ada Meyer", "{ending}");
            }
            holding(
                &all,
                &format!("- first item of {chapter} - second item of {chapter}"),
            );
            holding(&all, &format!("| pier {chapter} | {chapter}2 m |"));
            let code = holding(&all, &format!("measure --river {chapter}"));
            assert!(code.text.contains("```"), "{ending}: {}", code.text);
        }
        let long = all
            .iter()
            .filter(|context| context.token_count > 300)
            .count();
        assert_eq!(long, 0, "{ending}");
    }
}

#[tokio::test]
async fn every_paragraph_of_a_printed_page_is_found_with_its_number_and_heading() {
    let dir = tempfile::tempdir().unwrap();
    let all = imported(&printed(dir.path())).await;
    for chapter in 1..=CHAPTERS {
        for n in 1..=PARAGRAPHS {
            let found = holding(&all, &paragraph(chapter, n));
            assert_eq!(found.metadata["page"], chapter);
            let path = found.metadata["heading"].as_str().unwrap();
            assert!(path.contains(&heading(chapter)), "{path}");
        }
    }
    assert!(
        all.iter()
            .all(|context| context.metadata["title"] == "The bridges")
    );
    assert!(
        all.iter()
            .all(|context| context.metadata["doc_type"] == "pdf")
    );
}

#[tokio::test]
async fn every_paragraph_of_a_word_document_that_was_saved_as_pdf_is_found_with_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let all = imported(&saved(&pandoc(dir.path(), "docx"), "pdf")).await;
    let mut page = 1;
    for chapter in 1..=CHAPTERS {
        for n in 1..=PARAGRAPHS {
            let found = holding(&all, &paragraph(chapter, n));
            let on = found.metadata["page"].as_u64().unwrap();
            assert!(
                on == page || on == page + 1,
                "{chapter}-{n}: {on} after {page}"
            );
            page = on;
            assert_eq!(heading_of(found, &paragraph(chapter, n)), heading(chapter));
        }
    }
    assert!(page > 1);
}

#[tokio::test]
async fn a_folder_of_everything_is_told_apart_and_its_bad_files_are_named() {
    let place = Place::new();
    let manager = place.open().await;
    let folder = place.path().join("mixed");
    for name in ["src", "node_modules/x", "built"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    for (name, text) in [
        ("note.md", "# Note\n\nWords."),
        ("src/lib.rs", "fn bridge() {}"),
        ("node_modules/x/index.js", "no()"),
        (
            "built/CACHEDIR.TAG",
            "Signature: 8a477f597d28d172789f06886806bc55",
        ),
        ("built/out.rs", "no()"),
        ("README", "Read me."),
        ("people.csv", "name,age\nAda,36\n"),
        (
            "memory.jsonl",
            "{\"type\":\"entity\",\"name\":\"Ada\",\"entityType\":\"person\",\"observations\":[\"builds\"]}\n",
        ),
        (
            "claude.json",
            "[{\"uuid\":\"u\",\"name\":\"T\",\"chat_messages\":[{\"uuid\":\"m\",\"sender\":\"human\",\"text\":\"Hello\"}]}]",
        ),
        ("settings.json", "{\"a\": 1}"),
        ("broken.pdf", "%PDF-1.7\nnothing"),
        ("broken.docx", "PK\x03\x04"),
        ("picture.png", "\u{89}PNG"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let report = import(&manager, &folder).await;
    let mut kinds: Vec<String> = everything(&manager)
        .await
        .iter()
        .map(|context| context.metadata["doc_type"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["chat", "code", "csv", "markdown", "memory", "text"]);
    let mut failed: Vec<&str> = report.failed.iter().map(|p| p.code.as_str()).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["damaged_file", "damaged_file"]);
    let skipped = |end: &str| report.skipped.iter().any(|s| s.path.ends_with(end));
    for end in ["node_modules", "built", "settings.json", "picture.png"] {
        assert!(skipped(end), "{end}: {:?}", report.skipped);
    }
}
