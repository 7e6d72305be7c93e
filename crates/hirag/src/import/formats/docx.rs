//! Documents of word processors, as DOCX.

use std::collections::HashMap;
use std::io::Cursor;

use super::archive::Archive;
use super::xml::{Part, Tag, parse};
use super::{Deadline, Fault, Manuscript};
use crate::context::parse_time;
use crate::import::SourceFile;
use crate::import::cutting::{Script, one_line, stem};

/// How a document that asks for a password begins: it is no archive but a file system of its own.
const ENCRYPTED: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Reads the body, with its headings, lists, tables and code, and behind it the notes at its feet.
/// What was deleted and is only kept as a revision is no part of it.
pub(super) fn read(
    file: &SourceFile,
    bytes: &[u8],
    deadline: Deadline,
) -> Result<Manuscript, Fault> {
    if bytes.starts_with(ENCRYPTED) {
        return Err(Fault::encrypted(
            "is encrypted, or a document of Word 97 to 2003; save it as DOCX without a password",
        ));
    }
    let mut archive = Archive::open(Cursor::new(bytes), deadline)?;
    let absent = || Fault::damaged("is no DOCX document: it has no `word/document.xml`");
    let body = archive.read("word/document.xml")?.ok_or_else(absent)?;
    let styles = match archive.read("word/styles.xml")? {
        Some(styles) => Styles::read(&styles)?,
        None => Styles::default(),
    };
    let mut script = Script::default();
    let mut title = None;
    write(&body, &styles, &mut script, &mut title)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(notes) = archive.read(notes)? {
            write(&notes, &styles, &mut script, &mut None)?;
        }
    }
    let facts = match archive.read("docProps/core.xml")? {
        Some(core) => facts(&core)?,
        None => HashMap::new(),
    };
    let fact = |name: &str| facts.get(name).filter(|fact| !fact.trim().is_empty());
    let name = fact("title")
        .or(title.as_ref())
        .cloned()
        .or_else(|| script.first_heading().map(str::to_owned))
        .unwrap_or_else(|| stem(&file.path));
    let mut piece = script
        .piece("docx", &name)
        .of_file(&file.path)
        .with("author", fact("creator").cloned());
    let time = fact("created").or(fact("modified"));
    piece.created_at = time.and_then(|time| parse_time(time).ok());
    Ok(Manuscript {
        pieces: vec![piece],
        warnings: Vec::new(),
    })
}

/// The elements of a document's properties, by their names.
fn facts(core: &[u8]) -> Result<HashMap<String, String>, Fault> {
    let mut facts = HashMap::new();
    let mut words = String::new();
    parse(core, |part| match part {
        Part::Open(_) => words.clear(),
        Part::Words(more) => words.push_str(&more),
        Part::Close(name) => {
            let fact = one_line(&std::mem::take(&mut words));
            facts.entry(name).or_insert(fact);
        }
    })?;
    Ok(facts)
}

/// What a paragraph is, by its style.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Title,
    Heading(u8),
    Code,
    /// A line of the table of contents, which says nothing that the headings do not.
    Contents,
    Plain,
}

/// The styles by their ids.
#[derive(Default)]
struct Styles(HashMap<String, Role>);

impl Styles {
    fn read(xml: &[u8]) -> Result<Self, Fault> {
        let mut styles = Self::default();
        let mut id = String::new();
        parse(xml, |part| {
            let Part::Open(tag) = part else { return };
            match tag.name().as_str() {
                "style" => id = tag.get("styleId").unwrap_or_default(),
                "name" => {
                    let role = role(&tag.get("val").unwrap_or_default());
                    styles.0.insert(id.clone(), role);
                }
                // The place in the outline counts, whatever the style is called in its language.
                "outlineLvl" => {
                    if let Some(level) = outline_level(&tag) {
                        styles.0.insert(id.clone(), Role::Heading(level));
                    }
                }
                _ => {}
            }
        })?;
        Ok(styles)
    }

    fn role(&self, id: &str) -> Role {
        self.0.get(id).copied().unwrap_or_else(|| role(id))
    }
}

fn role(name: &str) -> Role {
    let name = name.to_lowercase().replace(' ', "");
    if let Some(level) = name.strip_prefix("heading") {
        return level.parse().map_or(Role::Plain, Role::Heading);
    }
    match name.as_str() {
        "title" => Role::Title,
        name if name.starts_with("toc") => Role::Contents,
        "sourcecode" | "htmlpreformatted" | "code" | "codeblock" => Role::Code,
        _ => Role::Plain,
    }
}

/// The tenth level is the body's.
fn outline_level(tag: &Tag<'_>) -> Option<u8> {
    let level: u8 = tag.get("val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

/// A paragraph in the making.
#[derive(Default)]
struct Paragraph {
    words: String,
    role: Option<Role>,
    item: bool,
    /// Lists that are inside of others stand further in.
    item_level: usize,
    /// Inside of a run, which has words; elsewhere a tab is a stop of the ruler.
    runs: usize,
}

/// A document in the making: its paragraph, cell and table.
#[derive(Default)]
struct Writer {
    /// The paragraphs that are open: one may have a box with others in it.
    paragraphs: Vec<Paragraph>,
    /// Items, or lines of code, that belong together.
    gathered: String,
    gathering: Option<Role>,
    /// How deep tables are within each other; the rows and cells of the outermost.
    tables: usize,
    rows: String,
    cells: Vec<String>,
    cell: String,
    /// Inside of what is shown in another way already, or was deleted or moved away.
    passed_over: usize,
    in_text: bool,
}

fn write(
    xml: &[u8],
    styles: &Styles,
    script: &mut Script,
    title: &mut Option<String>,
) -> Result<(), Fault> {
    let mut writer = Writer::default();
    parse(xml, |part| match part {
        Part::Open(tag) => writer.open(&tag, styles),
        Part::Words(words) if writer.in_text => writer.say(&words),
        Part::Words(_) => {}
        Part::Close(name) => writer.close(&name, script, title),
    })?;
    writer.end_gathering(script);
    Ok(())
}

/// What is no part of the text: the older way to draw what stands beside it, and revisions.
fn is_passed_over(name: &str) -> bool {
    matches!(name, "Fallback" | "del" | "moveFrom")
}

impl Paragraph {
    fn open(&mut self, name: &str, tag: &Tag<'_>, styles: &Styles) {
        match name {
            "pStyle" => {
                let id = tag.get("val").unwrap_or_default();
                self.role = self.role.or(Some(styles.role(&id)));
            }
            "outlineLvl" => self.role = outline_level(tag).map(Role::Heading).or(self.role),
            "numPr" => self.item = true,
            "ilvl" => {
                let level = tag.get("val").and_then(|level| level.parse().ok());
                self.item_level = level.unwrap_or(0).min(8);
            }
            "r" => self.runs += 1,
            "tab" if self.runs > 0 => self.words.push('\t'),
            "br" | "cr" if self.runs > 0 => self.words.push('\n'),
            "noBreakHyphen" if self.runs > 0 => self.words.push('-'),
            _ => {}
        }
    }
}

impl Writer {
    fn open(&mut self, tag: &Tag<'_>, styles: &Styles) {
        let name = tag.name();
        if is_passed_over(&name) {
            self.passed_over += 1;
        }
        if self.passed_over > 0 {
            return;
        }
        match name.as_str() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "t" => self.in_text = true,
            "tbl" => self.tables += 1,
            name => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.open(name, tag, styles);
                }
            }
        }
    }

    fn say(&mut self, words: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.words.push_str(words);
        }
    }

    fn close(&mut self, name: &str, script: &mut Script, title: &mut Option<String>) {
        if self.passed_over > 0 {
            self.passed_over -= usize::from(is_passed_over(name));
            return;
        }
        match name {
            "t" => self.in_text = false,
            "r" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.runs = paragraph.runs.saturating_sub(1);
                }
            }
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.paragraph(paragraph, script, title);
                }
            }
            "tc" if self.tables == 1 => {
                let cell = std::mem::take(&mut self.cell);
                self.cells.push(one_line(&cell));
            }
            "tr" if self.tables == 1 => {
                let cells = std::mem::take(&mut self.cells);
                if cells.iter().any(|cell| !cell.is_empty()) {
                    self.rows.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
            }
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.end_gathering(script);
                    script.prose(&std::mem::take(&mut self.rows));
                }
            }
            _ => {}
        }
    }

    fn paragraph(&mut self, paragraph: Paragraph, script: &mut Script, title: &mut Option<String>) {
        let words = paragraph.words;
        if self.tables > 0 {
            self.cell.push_str(&words);
            self.cell.push(' ');
            return;
        }
        let role = paragraph.role.unwrap_or(Role::Plain);
        let together = if paragraph.item && role == Role::Plain {
            Some(Role::Plain)
        } else {
            Some(role).filter(|role| *role == Role::Code)
        };
        if together.is_none() || together != self.gathering {
            self.end_gathering(script);
        }
        match (together, role) {
            (Some(Role::Code), _) => {
                self.gathered.push_str(&words);
                self.gathered.push('\n');
            }
            (Some(_), _) if words.trim().is_empty() => {}
            (Some(_), _) => {
                let indent = "  ".repeat(paragraph.item_level);
                self.gathered
                    .push_str(&format!("{indent}- {}\n", words.trim()));
            }
            (None, Role::Contents) => {}
            (None, Role::Heading(level)) => script.heading(level, &words),
            (None, Role::Title) if title.is_none() && !words.trim().is_empty() => {
                script.heading(1, &words);
                *title = Some(one_line(&words));
            }
            (None, _) => script.prose(&words),
        }
        self.gathering = together;
    }

    fn end_gathering(&mut self, script: &mut Script) {
        let gathered = std::mem::take(&mut self.gathered);
        match self.gathering.take() {
            Some(Role::Code) => script.code("", &gathered),
            Some(_) => script.prose(gathered.trim_end()),
            None => {}
        }
    }
}
