use super::super::tests::SETTINGS;
use super::*;

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn find(root: &Path, format: Format) -> Discovery {
    discover(&[root.to_owned()], format, &SETTINGS)
}

fn names(found: &Discovery, root: &Path) -> Vec<(String, FileKind)> {
    let root = fs::canonicalize(root).unwrap();
    found
        .files
        .iter()
        .map(|file| (path_text(file.path.strip_prefix(&root).unwrap()), file.kind))
        .collect()
}

#[test]
fn a_folder_gives_its_notes_and_records_sorted_and_says_what_it_passes_over() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "b.md",
        "a/z.TXT",
        "日本/ノート.markdown",
        "log.jsonl",
        "pic.png",
        ".obsidian/x.md",
        ".hidden.md",
    ] {
        write(dir.path(), name, "text");
    }
    let found = find(dir.path(), Format::Auto);
    assert_eq!(
        names(&found, dir.path()),
        [
            ("a/z.TXT".to_owned(), FileKind::Text),
            ("b.md".to_owned(), FileKind::Markdown),
            ("log.jsonl".to_owned(), FileKind::Jsonl),
            ("日本/ノート.markdown".to_owned(), FileKind::Markdown),
        ]
    );
    assert_eq!(found.skipped.len(), 1, "{found:?}");
    assert!(found.skipped[0].path.ends_with("pic.png"));
    assert_eq!(found.skipped[0].reason, "not a known kind of file");
    assert!(found.failed.is_empty());
}

#[test]
fn a_named_file_of_no_known_kind_fails_unless_a_format_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "data.blob", "text");
    let path = [dir.path().join("data.blob")];
    let found = discover(&path, Format::Auto, &SETTINGS);
    assert_eq!(found.failed[0].code, "unknown_file_kind");
    let found = discover(&path, Format::Markdown, &SETTINGS);
    assert_eq!(found.files[0].kind, FileKind::Markdown);
    let found = discover(&[dir.path().join("none.md")], Format::Auto, &SETTINGS);
    assert_eq!(found.failed[0].code, "path_not_found");
}

#[test]
fn a_folder_with_a_corpus_is_a_beir_set_and_its_queries_are_no_notes() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "set/corpus.jsonl",
        "set/queries.jsonl",
        "set/README.md",
        "n.md",
    ] {
        write(dir.path(), name, "{}");
    }
    let expected = [
        ("n.md".to_owned(), FileKind::Markdown),
        ("set/corpus.jsonl".to_owned(), FileKind::Beir),
    ];
    let found = find(dir.path(), Format::Auto);
    assert_eq!(names(&found, dir.path()), expected);
    assert_eq!(found.skipped.len(), 2);
    let found = find(&dir.path().join("set"), Format::Beir);
    assert_eq!(found.files[0].kind, FileKind::Beir);
    let found = find(dir.path(), Format::Beir);
    assert_eq!(found.failed[0].code, "not_beir");
}

#[test]
fn large_notes_are_passed_over_and_large_records_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let large = "x".repeat(SETTINGS.max_file_bytes as usize + 1);
    write(dir.path(), "large.md", &large);
    write(dir.path(), "large.jsonl", &large);
    let found = find(dir.path(), Format::Auto);
    assert_eq!(found.files.len(), 1);
    assert!(found.skipped[0].reason.starts_with("too large"));
    let found = discover(&[dir.path().join("large.md")], Format::Auto, &SETTINGS);
    assert_eq!(found.failed[0].code, "file_too_large");
}

#[test]
fn the_same_file_by_two_paths_is_imported_once() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "sub/a.md", "text");
    let paths = [dir.path().to_owned(), dir.path().join("sub/../sub/a.md")];
    assert_eq!(discover(&paths, Format::Auto, &SETTINGS).files.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_around_what_was_asked_for_brings_in_no_more() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "shared/note.md", "text");
    write(dir.path(), "private/diary.md", "text");
    write(dir.path(), "books/book.md", "text");
    let shared = dir.path().join("shared");
    symlink("..", shared.join("up")).unwrap();
    symlink("/", shared.join("everything")).unwrap();
    symlink(dir.path().join("books"), shared.join("books")).unwrap();
    let found = find(&shared, Format::Auto);
    let names: Vec<_> = found.files.iter().map(|f| f.path.file_name()).collect();
    assert_eq!(names, [Some("book.md".as_ref()), Some("note.md".as_ref())]);
    let skipped: Vec<_> = found.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(
        skipped,
        ["symbolic link to a folder that holds this one"; 2]
    );
}

#[cfg(unix)]
#[test]
fn links_in_circles_are_survived_and_told() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a/note.md", "text");
    symlink(dir.path(), dir.path().join("a/up")).unwrap();
    symlink(dir.path().join("a/note.md"), dir.path().join("z.md")).unwrap();
    symlink("nowhere", dir.path().join("broken.md")).unwrap();
    for n in 0..12 {
        let folder = dir.path().join(format!("d{n}"));
        fs::create_dir(&folder).unwrap();
        for m in 0..12 {
            symlink(
                dir.path().join(format!("d{m}")),
                folder.join(format!("l{m}")),
            )
            .unwrap();
        }
    }
    let found = find(dir.path(), Format::Auto);
    assert_eq!(found.files.len(), 1, "{:?}", found.files);
    let reasons: Vec<_> = found.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert!(
        reasons
            .iter()
            .any(|r| r.starts_with("symbolic link back to"))
    );
    assert!(
        reasons
            .iter()
            .any(|r| r.starts_with("symbolic link to nothing"))
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    for name in [&b"caf\xe9.md"[..], b"caf\xe8.md"] {
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "text").unwrap();
    }
    let found = find(dir.path(), Format::Auto);
    assert!(found.files[0].source.ends_with("caf\\xE8.md"));
    assert!(found.files[1].source.ends_with("caf\\xE9.md"));
}

#[cfg(unix)]
#[test]
fn sockets_and_pipes_are_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket.md");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let found = find(dir.path(), Format::Auto);
    assert_eq!(found.skipped[0].reason, "not a regular file");
}

#[cfg(unix)]
#[test]
fn a_linked_file_that_is_too_large_is_named_as_it_is_when_it_is_read() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let large = "x".repeat(SETTINGS.max_file_bytes as usize + 1);
    write(elsewhere.path(), "a.md", &large);
    let file = fs::canonicalize(elsewhere.path().join("a.md")).unwrap();
    std::os::unix::fs::symlink(&file, dir.path().join("link.md")).unwrap();
    let found = find(dir.path(), Format::Auto);
    assert_eq!(found.skipped[0].path, path_text(&file));
}
