//! Web pages: what is said on them, without what stands around it.

mod nesting;
mod walk;

use dom_query::{Document, NodeRef};
use dom_smoothie::Readability;
use encoding_rs::Encoding;

pub(super) use self::nesting::{MAX_DEPTH, depth, is_endless};
pub(super) use self::walk::write;
use super::decode::decode;
use super::{Deadline, Fault, Manuscript};
use crate::context::parse_time;
use crate::import::SourceFile;
use crate::import::cutting::{Script, stem};

/// Elements that are no part of what a page says.
const AROUND: &str = "script, style, noscript, template, nav, button, dialog, iframe, \
    svg, [hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], \
    [role=search]";
/// Elements that are none of it either, but for those in its main part: there they are remarks.
const BESIDE: &str = "aside, [role=complementary]";
/// Elements that say what a page is about, the surest first.
const MAIN: [&str; 4] = ["main", "[role=main]", "article", "#content"];
/// The share of links in the text of a page from which it is more of a menu than of a document.
const MENU: f64 = 0.25;

/// Reads a page. Where it marks its main part, that is taken, and otherwise all that is no menu and
/// no frame; a page that is full of links is searched for its article as browsers do for reading.
pub(super) fn read(
    file: &SourceFile,
    bytes: &[u8],
    deadline: Deadline,
) -> Result<Manuscript, Fault> {
    let decoded = decode(bytes, declared(bytes))?;
    let endless = is_endless(&decoded.text);
    let text = if endless { "" } else { &decoded.text };
    let reader = Readability::from(text);
    if endless || depth(&reader.doc.root()) > MAX_DEPTH {
        return Err(Fault::damaged(format!(
            "is nested more than {MAX_DEPTH} elements deep; no page that is read is"
        )));
    }
    let facts = reader.get_article_metadata(reader.parse_json_ld());
    let page = Document::from(decoded.text.as_str());
    page.select(AROUND).remove();
    for beside in page.select(BESIDE).nodes() {
        if !beside.ancestors_it(None).any(|outer| is_main(&outer)) {
            beside.remove_from_parent();
        }
    }
    deadline.check()?;
    let mut script = Script::default();
    write(&main(&page), &mut script, deadline);
    if link_share(&main(&page)) > MENU
        && let Some(article) = article(&decoded.text, deadline)
    {
        script = article;
    }
    let name = match facts.title.trim() {
        "" => script.first_heading().map(str::to_owned),
        title => Some(title.to_owned()),
    };
    let mut piece = script
        .piece("html", &name.unwrap_or_else(|| stem(&file.path)))
        .of_file(&file.path)
        .with("author", facts.byline)
        .with("url", facts.url)
        .with("site", facts.site_name)
        .with("language", facts.lang);
    let published = facts.published_time.or(facts.modified_time);
    piece.created_at = published.and_then(|time| parse_time(&time).ok());
    Ok(Manuscript {
        pieces: vec![piece],
        warnings: decoded.warning.into_iter().collect(),
    })
}

fn is_main(node: &NodeRef<'_>) -> bool {
    let name = node.node_name();
    matches!(name.as_deref(), Some("main" | "article"))
        || node.attr("role").as_deref() == Some("main")
}

/// The encoding that a page says it has, among its first bytes.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(1_024)].to_ascii_lowercase();
    let at = head.windows(8).position(|window| window == b"charset=")?;
    let label = &head[at + 8..];
    let label = label
        .strip_prefix(b"\"")
        .or(label.strip_prefix(b"'"))
        .unwrap_or(label);
    let end = label
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte))?;
    Encoding::for_label(&label[..end])
}

/// The part of the page that is meant to be read.
fn main(page: &Document) -> NodeRef<'_> {
    for selector in MAIN {
        let found = page.select(selector);
        // Several articles are a list of them, which is all of the page.
        if let [only] = found.nodes() {
            return *only;
        }
    }
    // What stands at the top with a heading is the document's own title.
    for frame in page.select("body > header, body > footer").nodes() {
        if !frame
            .descendants_it()
            .any(|inner| inner.node_name().as_deref() == Some("h1"))
        {
            frame.remove_from_parent();
        }
    }
    page.body().unwrap_or_else(|| page.root())
}

fn link_share(node: &NodeRef<'_>) -> f64 {
    let all = node.text().trim().len();
    let links: usize = node
        .descendants_it()
        .filter(|inner| inner.node_name().is_some_and(|name| *name == *"a"))
        .map(|link| link.text().trim().len())
        .sum();
    links as f64 / all.max(1) as f64
}

/// The page's article, if it has one.
fn article(html: &str, deadline: Deadline) -> Option<Script> {
    let found = Readability::from(html).parse().ok()?;
    let content = Document::fragment(found.content);
    let mut script = Script::default();
    write(&content.root(), &mut script, deadline);
    (script.len() > 0).then_some(script)
}
