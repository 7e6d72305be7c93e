//! Elements to blocks.

use dom_query::NodeRef;

use crate::import::cutting::{Script, one_line};

/// Elements within each other at most.
pub(in crate::import::formats) const MAX_DEPTH: usize = 1_000;

/// How deep the elements are nested.
pub(in crate::import::formats) fn depth(root: &NodeRef<'_>) -> usize {
    let (mut deepest, mut depth) = (0, 0_usize);
    let mut node = root.first_child();
    while let Some(at) = node {
        deepest = deepest.max(depth + 1);
        if let Some(child) = at.first_child() {
            depth += 1;
            node = Some(child);
            continue;
        }
        // The next one beside it, or beside what it stands in.
        let mut up = at;
        node = loop {
            if let Some(next) = up.next_sibling() {
                break Some(next);
            }
            match up.parent() {
                Some(parent) if depth > 0 => {
                    depth -= 1;
                    up = parent;
                }
                _ => break None,
            }
        };
    }
    deepest
}

/// Whether so many elements are opened and not closed that parsing them alone, whose time grows with
/// the square of the depth, would hold everything up.
pub(in crate::import::formats) fn is_endless(html: &str) -> bool {
    /// Elements that need no end, or have none.
    const OPEN: [&str; 24] = [
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "br", "img", "hr",
        "input", "meta", "link", "source", "col", "wbr", "area", "base", "embed", "param", "track",
    ];
    let mut depth = 0_usize;
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let (closes, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || OPEN.iter().any(|open| name.eq_ignore_ascii_case(open)) {
            continue;
        }
        depth = if closes {
            depth.saturating_sub(1)
        } else {
            depth + 1
        };
        if depth > 2 * MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Writes what stands in `node`, block by block.
pub(in crate::import::formats) fn write(node: &NodeRef<'_>, script: &mut Script) {
    let mut walk = Walk {
        script,
        line: String::new(),
    };
    walk.children(node);
    walk.flush();
}

struct Walk<'s> {
    script: &'s mut Script,
    /// Words that belong to no block yet.
    line: String,
}

impl Walk<'_> {
    fn children(&mut self, node: &NodeRef<'_>) {
        for child in node.children_it(false) {
            self.node(&child);
        }
    }

    fn node(&mut self, node: &NodeRef<'_>) {
        if node.is_text() {
            self.line.push_str(&node.text());
            return;
        }
        let Some(name) = node.node_name() else {
            return;
        };
        match &*name {
            "script" | "style" | "noscript" | "template" | "head" => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                let level = name.as_bytes()[1] - b'0';
                let text = self.inline(node);
                self.script.heading(level, &text);
            }
            "br" => self.line.push('\u{b}'),
            "pre" => {
                self.flush();
                self.script.code(&language(node), &node.text());
            }
            "ul" | "ol" => {
                self.flush();
                let mut list = String::new();
                self.list(node, 0, &mut list);
                self.script.prose(&list);
            }
            "table" => {
                self.flush();
                let rows = self.table(node);
                self.script.prose(&rows);
            }
            name if is_block(name) => {
                self.flush();
                self.children(node);
                self.flush();
            }
            _ => self.mark(node, &name),
        }
    }

    /// Inline elements: of their marks those are kept that say something in plain text.
    fn mark(&mut self, node: &NodeRef<'_>, name: &str) {
        match name {
            "img" => {
                let words = node.attr("alt").unwrap_or_default();
                self.line.push_str(&words);
            }
            "code" | "kbd" | "samp" => {
                let text = node.text();
                self.line.push_str(&format!("`{}`", text.trim()));
            }
            _ => self.children(node),
        }
    }

    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.script.prose(&lines(&line));
    }

    /// The words of an element on one line.
    fn inline(&mut self, node: &NodeRef<'_>) -> String {
        let before = std::mem::take(&mut self.line);
        for child in node.children_it(false) {
            self.inline_node(&child);
        }
        let text = std::mem::replace(&mut self.line, before);
        lines(&text)
    }

    fn inline_node(&mut self, node: &NodeRef<'_>) {
        if node.is_text() {
            self.line.push_str(&node.text());
            return;
        }
        match node.node_name().as_deref() {
            None | Some("ul" | "ol" | "script" | "style") => {}
            Some("br") => self.line.push('\u{b}'),
            Some(name) if is_block(name) || name == "pre" || name == "table" => {
                self.line.push('\u{b}');
                for child in node.children_it(false) {
                    self.inline_node(&child);
                }
                self.line.push('\u{b}');
            }
            Some("code" | "kbd" | "samp") => {
                let text = node.text();
                self.line.push_str(&format!("`{}`", text.trim()));
            }
            Some("img") => {
                let words = node.attr("alt").unwrap_or_default();
                self.line.push_str(&words);
            }
            Some(_) => {
                for child in node.children_it(false) {
                    self.inline_node(&child);
                }
            }
        }
    }

    fn list(&mut self, node: &NodeRef<'_>, level: usize, out: &mut String) {
        let ordered = node.node_name().is_some_and(|name| *name == *"ol");
        let mut number = 0;
        for item in node.children_it(false) {
            if !item.is_element() {
                continue;
            }
            number += 1;
            let mark = if ordered {
                format!("{number}.")
            } else {
                "-".to_owned()
            };
            let indent = "  ".repeat(level);
            let own = self.inline(&item);
            if !own.is_empty() {
                let own = own.replace('\n', &format!("\n{indent}  "));
                out.push_str(&format!("{indent}{mark} {own}\n"));
            }
            self.lists_in(&item, level + 1, out);
        }
    }

    fn lists_in(&mut self, node: &NodeRef<'_>, level: usize, out: &mut String) {
        for child in node.children_it(false) {
            match child.node_name().as_deref() {
                Some("ul" | "ol") => self.list(&child, level, out),
                Some(_) => self.lists_in(&child, level, out),
                None => {}
            }
        }
    }

    fn table(&mut self, node: &NodeRef<'_>) -> String {
        let mut rows = String::new();
        for row in node.descendants_it() {
            let name = row.node_name();
            if name.as_deref() == Some("caption") {
                rows.push_str(&format!("{}\n", one_line(&self.inline(&row))));
            }
            if name.as_deref() != Some("tr") {
                continue;
            }
            let cells: Vec<String> = row
                .children_it(false)
                .filter(NodeRef::is_element)
                .map(|cell| one_line(&self.inline(&cell)))
                .collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                rows.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        }
        rows
    }
}

/// White space as a page has it: it means nothing, but for the breaks that were marked.
fn lines(text: &str) -> String {
    let lines = text.split('\u{b}').map(one_line);
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// The language that highlighters write in the class of code.
fn language(pre: &NodeRef<'_>) -> String {
    let inner = pre.first_element_child();
    let classes = [inner.and_then(|code| code.class()), pre.class()];
    let mut names = classes
        .iter()
        .flatten()
        .flat_map(|class| class.split_whitespace());
    let name = names.find_map(|class| class.strip_prefix("language-"));
    name.filter(|name| name.len() < 20)
        .unwrap_or_default()
        .to_owned()
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "p"
            | "section"
            | "summary"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
    )
}
