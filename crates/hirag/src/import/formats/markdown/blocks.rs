//! The outline of Markdown: its blocks, headings, tags and links, with their places in the text.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use crate::import::cutting::{Block, Kind, Outline, line_start};

/// Characters of a heading kept in paths.
const HEADING_CHARS: usize = 120;

/// The outline of Markdown.
pub(in crate::import) fn markdown(text: &str) -> Outline {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_WIKILINKS;
    let mut outline = Outline::default();
    let mut depth = 0_usize;
    let mut code = 0_usize;
    let mut link = 0_usize;
    let mut words: Range<usize> = 0..0;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        if depth == 0 && !matches!(event, Event::End(_)) {
            outline.begin(text, range.start, kind(&event));
        }
        if let Event::Text(_) = &event
            && code == 0
            && link == 0
        {
            // Text comes in pieces, cut where a mark might have been.
            if words.end == range.start {
                words.end = range.end;
            } else {
                outline.find_tags(text, std::mem::replace(&mut words, range.clone()));
            }
        }
        if let Event::Text(piece) | Event::Code(piece) = &event {
            outline.name_heading(piece);
        }
        match event {
            Event::Start(tag) => {
                depth += 1;
                match tag {
                    Tag::CodeBlock(_) => {
                        code += 1;
                        if depth > 1 {
                            outline.code_inside(line_start(text, range.start)..range.end);
                        }
                    }
                    Tag::Link {
                        link_type,
                        dest_url,
                        ..
                    }
                    | Tag::Image {
                        link_type,
                        dest_url,
                        ..
                    } => {
                        link += 1;
                        if let LinkType::WikiLink { .. } = link_type {
                            outline
                                .links
                                .push((range.start, dest_url.trim().to_owned()));
                        }
                    }
                    _ => {}
                }
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                match tag {
                    TagEnd::CodeBlock => code = code.saturating_sub(1),
                    TagEnd::Link | TagEnd::Image => link = link.saturating_sub(1),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    outline.find_tags(text, words);
    outline.close(text);
    outline
}

fn kind(event: &Event<'_>) -> Kind {
    match event {
        Event::Start(Tag::Heading { level, .. }) => Kind::Heading(number(*level), String::new()),
        Event::Start(Tag::CodeBlock(_)) => Kind::Code,
        _ => Kind::Prose(Vec::new()),
    }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// What Markdown alone finds.
trait Marks {
    fn name_heading(&mut self, piece: &str);
    fn code_inside(&mut self, code: Range<usize>);
    fn find_tags(&mut self, text: &str, words: Range<usize>);
}

impl Marks for Outline {
    fn name_heading(&mut self, piece: &str) {
        if let Some(Block {
            kind: Kind::Heading(_, name),
            ..
        }) = self.blocks.last_mut()
        {
            let room = HEADING_CHARS.saturating_sub(name.chars().count());
            name.extend(piece.chars().take(room));
        }
    }

    fn code_inside(&mut self, code: Range<usize>) {
        if let Some(Block {
            kind: Kind::Prose(inside),
            ..
        }) = self.blocks.last_mut()
        {
            inside.push(code);
        }
    }

    /// A tag stands at the start or behind white space or a bracket, and is made of letters,
    /// digits, `_`, `-` and `/`, not of digits alone: `#2` is a number, `# x` a heading.
    fn find_tags(&mut self, text: &str, words: Range<usize>) {
        for (at, _) in text[words.clone()].match_indices('#') {
            let at = words.start + at;
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | '[' | '{' | ',')) {
                continue;
            }
            let rest = &text[at + 1..words.end];
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '/'))
                .unwrap_or(rest.len());
            let tag = rest[..end].trim_end_matches(['-', '/']);
            if tag.chars().any(char::is_alphabetic) {
                self.tags.push((at, tag.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(&str, Kind)> {
        markdown(text)
            .blocks
            .into_iter()
            .map(|block| (&text[block.range], block.kind))
            .collect()
    }

    fn names(found: &[(usize, String)]) -> Vec<&str> {
        found.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn blocks_cover_the_text_and_know_their_kind() {
        let text = "\nIntro\n\n## A `b` *c*\ntext\n\n```sh\n# no heading\n```\n    \n---\n[ref]: http://x\n";
        assert_eq!(
            pieces(text),
            [
                ("\nIntro\n\n", Kind::Prose(vec![])),
                ("## A `b` *c*\n", Kind::Heading(2, "A b c".to_owned())),
                ("text\n\n", Kind::Prose(vec![])),
                ("```sh\n# no heading\n```\n    \n", Kind::Code),
                ("---\n[ref]: http://x\n", Kind::Prose(vec![])),
            ]
        );
    }

    #[test]
    fn code_inside_a_list_is_known_from_the_start_of_its_line() {
        let text = "- item\n\n  ```\n  code\n  ```\n- next\n";
        let Kind::Prose(code) = &pieces(text)[0].1 else {
            panic!("a list");
        };
        assert_eq!(text[code[0].clone()].trim(), "```\n  code\n  ```");
        assert!(text[code[0].clone()].starts_with("  ```"));
    }

    #[test]
    fn tags_and_wikilinks_are_found_outside_of_code_and_links() {
        let text = "#start some #proj/sub_task-1, (#paren) #2 a#no \\#esc `#code` [#link](x#y) #日本\n\n    #block\n\n[[Note A|alias]] ![[pic.png]] [[B#Part]] `[[no]]`\n\n# Head #tail\n";
        let outline = markdown(text);
        assert_eq!(
            names(&outline.tags),
            ["start", "proj/sub_task-1", "paren", "日本", "tail"]
        );
        assert_eq!(names(&outline.links), ["Note A", "pic.png", "B#Part"]);
    }
}
