//! Books as EPUB: chapters in the order in which they are read.

use std::collections::HashMap;
use std::io::Cursor;

use dom_query::Document;
use encoding_rs::UTF_8;

use super::archive::Archive;
use super::decode::decode;
use super::html::{MAX_DEPTH, depth, is_endless, write};
use super::xml::{Part, parse};
use super::{Deadline, Fault, Manuscript};
use crate::context::parse_time;
use crate::import::SourceFile;
use crate::import::cutting::{Script, one_line, stem};

/// Bytes of a chapter at most; all of the Bible has four million.
const MAX_CHAPTER: usize = 16 << 20;

/// Reads a book. Every chapter is cut by itself, and known by its first heading.
pub(super) fn read(
    file: &SourceFile,
    bytes: &[u8],
    deadline: Deadline,
) -> Result<Manuscript, Fault> {
    let mut archive = Archive::open(Cursor::new(bytes), deadline)?;
    let absent = || Fault::damaged("is no EPUB book: it has no `META-INF/container.xml`");
    let container = archive.read("META-INF/container.xml")?.ok_or_else(absent)?;
    let path = package_path(&container)?;
    let absent = || Fault::damaged(format!("is damaged: `{path}` is not in it"));
    let package = Package::read(&archive.read(&path)?.ok_or_else(absent)?)?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let encrypted = match archive.read("META-INF/encryption.xml")? {
        Some(list) => encrypted(&list)?,
        None => Vec::new(),
    };
    let title = package.fact("title").unwrap_or_else(|| stem(&file.path));
    let published = package.fact("date").and_then(|date| parse_time(&date).ok());
    let mut manuscript = Manuscript::default();
    let mut chapter: Option<String> = None;
    for href in package.spine() {
        let path = resolve(folder, &href);
        if encrypted.contains(&path) {
            return Err(Fault::encrypted(
                "is protected against copying; a book without protection can be imported",
            ));
        }
        let Some(page) = archive.read(&path)? else {
            let sentence = format!("the chapter `{path}` is not in it");
            manuscript.warnings.push(("chapter_missing", sentence));
            continue;
        };
        let script = match chapter_of(&page, deadline) {
            Ok(script) => script,
            Err(reason) => {
                deadline.check()?;
                let sentence = format!("the chapter `{path}` cannot be read: {reason}");
                manuscript.warnings.push(("chapter_unreadable", sentence));
                continue;
            }
        };
        if script.len() == 0 {
            continue;
        }
        // A file without a heading goes on with the chapter before.
        chapter = script.first_heading().map(str::to_owned).or(chapter);
        let mut piece = script
            .piece("epub", &title)
            .of_file(&file.path)
            .with("author", package.fact("creator"))
            .with("language", package.fact("language"))
            .with("chapter", chapter.clone());
        piece.created_at = published;
        manuscript.pieces.push(piece);
    }
    // That nothing of it can be read does not mean that nothing is in it.
    if manuscript.pieces.is_empty() && !manuscript.warnings.is_empty() {
        return Err(Fault::damaged(
            "is damaged: none of its chapters can be read; get it anew",
        ));
    }
    Ok(manuscript)
}

fn chapter_of(page: &[u8], deadline: Deadline) -> Result<Script, String> {
    if page.len() > MAX_CHAPTER {
        return Err(format!("it has more than {MAX_CHAPTER} bytes"));
    }
    let decoded = decode(page, Some(UTF_8)).map_err(|_| "it is no text".to_owned())?;
    if is_endless(&decoded.text) {
        return Err(format!("it is nested more than {MAX_DEPTH} elements deep"));
    }
    let page = Document::from(decoded.text.as_str());
    if depth(&page.root()) > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} elements deep"));
    }
    page.select("script, style, nav, template").remove();
    let mut script = Script::default();
    if let Some(body) = page.body() {
        write(&body, &mut script, deadline);
    }
    Ok(script)
}

fn package_path(container: &[u8]) -> Result<String, Fault> {
    let mut path = None;
    parse(container, |part| {
        if let Part::Open(tag) = part
            && tag.name() == "rootfile"
        {
            path = path.take().or(tag.get("full-path"));
        }
    })?;
    path.ok_or_else(|| Fault::damaged("is damaged: it does not say where its contents are"))
}

/// The paths of what is encrypted. Fonts may be: their key is in the book.
fn encrypted(list: &[u8]) -> Result<Vec<String>, Fault> {
    let mut paths = Vec::new();
    parse(list, |part| {
        if let Part::Open(tag) = part
            && tag.name() == "CipherReference"
        {
            paths.extend(tag.get("URI").map(|uri| resolve("", &uri)));
        }
    })?;
    Ok(paths)
}

/// What a book says of itself.
#[derive(Default)]
struct Package {
    facts: HashMap<String, String>,
    /// Files by their ids, with whether they are the book's own list of contents.
    files: HashMap<String, (String, bool)>,
    order: Vec<String>,
}

impl Package {
    fn read(xml: &[u8]) -> Result<Self, Fault> {
        let mut package = Self::default();
        let mut words = String::new();
        parse(xml, |part| match part {
            Part::Open(tag) => {
                words.clear();
                match tag.name().as_str() {
                    "item" => {
                        if let (Some(id), Some(href)) = (tag.get("id"), tag.get("href")) {
                            let properties = tag.get("properties").unwrap_or_default();
                            let contents = properties.split(' ').any(|word| word == "nav");
                            package.files.insert(id, (href, contents));
                        }
                    }
                    "itemref" => package.order.extend(tag.get("idref")),
                    _ => {}
                }
            }
            Part::Words(more) => words.push_str(&more),
            Part::Close(name) => {
                let fact = one_line(&std::mem::take(&mut words));
                if !fact.is_empty() {
                    package.facts.entry(name).or_insert(fact);
                }
            }
        })?;
        Ok(package)
    }

    fn fact(&self, name: &str) -> Option<String> {
        self.facts.get(name).cloned()
    }

    /// The files in the order in which they are read.
    fn spine(&self) -> Vec<String> {
        let files = self.order.iter().filter_map(|id| self.files.get(id));
        let pages = files.filter(|(_, contents)| !contents);
        pages.map(|(href, _)| href.clone()).collect()
    }
}

/// The path in the archive of what is called `href` in `folder`.
fn resolve(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let href = percent_decoded(href);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let code = others
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_found_from_the_folder_of_the_contents() {
        assert_eq!(
            resolve("OEBPS", "text/a%20b.xhtml#x"),
            "OEBPS/text/a b.xhtml"
        );
        assert_eq!(resolve("OEBPS/x", "../c.xhtml"), "OEBPS/c.xhtml");
        assert_eq!(resolve("", "100%.xhtml"), "100%.xhtml");
    }
}
