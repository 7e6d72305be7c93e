//! Elements to blocks.

use dom_query::NodeRef;

use super::super::Deadline;
use crate::import::cutting::{Script, one_line};

/// Writes what stands in `node`, block by block.
pub(in crate::import::formats) fn write(
    node: &NodeRef<'_>,
    script: &mut Script,
    deadline: Deadline,
) {
    let mut walk = Walk {
        script,
        line: String::new(),
        deadline,
    };
    walk.children(node);
    walk.flush();
}

struct Walk<'s> {
    script: &'s mut Script,
    /// Words that belong to no block yet.
    line: String,
    deadline: Deadline,
}

impl Walk<'_> {
    fn children(&mut self, node: &NodeRef<'_>) {
        for child in node.children_it(false) {
            self.node(&child);
        }
    }

    fn node(&mut self, node: &NodeRef<'_>) {
        self.deadline.keep();
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
                let text = self.inline(node, true);
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

    /// The words of an element on lines of their own, with those of the lists in it or without.
    fn inline(&mut self, node: &NodeRef<'_>, lists: bool) -> String {
        let before = std::mem::take(&mut self.line);
        for child in node.children_it(false) {
            self.inline_node(&child, lists);
        }
        let text = std::mem::replace(&mut self.line, before);
        lines(&text)
    }

    fn inline_node(&mut self, node: &NodeRef<'_>, lists: bool) {
        self.deadline.keep();
        if node.is_text() {
            self.line.push_str(&node.text());
            return;
        }
        match node.node_name().as_deref() {
            None | Some("script" | "style") => {}
            Some("ul" | "ol") if !lists => {}
            Some("br") => self.line.push('\u{b}'),
            Some("pre") => {
                // Its lines are its own.
                let lines = node.text().replace('\n', "\u{b}");
                self.line.push_str(&format!("\u{b}{lines}\u{b}"));
            }
            Some(name) if is_block(name) || matches!(name, "table" | "ul" | "ol") => {
                self.line.push('\u{b}');
                for child in node.children_it(false) {
                    self.inline_node(&child, lists);
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
                    self.inline_node(&child, lists);
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
            let own = self.inline(&item, false);
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
        for part in node.children_it(false) {
            match part.node_name().as_deref() {
                Some("caption") => {
                    let caption = one_line(&self.inline(&part, true));
                    rows.push_str(&format!("{caption}\n"));
                }
                Some("tr") => self.row(&part, &mut rows),
                // A table in a cell is words of the cell.
                Some("thead" | "tbody" | "tfoot") => {
                    for row in part.children_it(false) {
                        self.row(&row, &mut rows);
                    }
                }
                _ => {}
            }
        }
        rows
    }

    fn row(&mut self, row: &NodeRef<'_>, rows: &mut String) {
        let cells: Vec<String> = row
            .children_it(false)
            .filter(NodeRef::is_element)
            .map(|cell| one_line(&self.inline(&cell, true)))
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
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
