//! XML as a course of tags and words, by local names.

use std::borrow::Cow;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Fault;
use super::decode::decode;

/// What comes next.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Open(Tag<'a>),
    /// Every tag is closed, also one that is empty.
    Close(String),
    Words(Cow<'a, str>),
}

/// A tag with attributes.
#[derive(Debug)]
pub(super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    pub(super) fn name(&self) -> String {
        local(self.0.name().0).to_owned()
    }

    /// An attribute's value, by its local name.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut known = attributes.with_checks(false).flatten();
        let found = known.find(|attribute| local(attribute.key.0) == name)?;
        let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Tells `take` all parts of a document in order. Entities are those of XML itself: what a document
/// declares is not looked at, so nothing grows by it.
pub(super) fn parse(bytes: &[u8], mut take: impl FnMut(Part<'_>)) -> Result<(), Fault> {
    let text = decode(bytes, None)?.text;
    let mut reader = Reader::from_str(&text);
    loop {
        let event = reader
            .read_event()
            .map_err(|error| Fault::damaged(format!("is damaged: its XML is broken ({error})")))?;
        match event {
            Event::Start(tag) => take(Part::Open(Tag(tag))),
            Event::Empty(tag) => {
                let tag = Tag(tag);
                let name = tag.name();
                take(Part::Open(tag));
                take(Part::Close(name));
            }
            Event::End(tag) => take(Part::Close(local(tag.name().0).to_owned())),
            Event::Text(words) => take(Part::Words(words.xml10_content())),
            Event::CData(words) => take(Part::Words(words.xml10_content())),
            Event::GeneralRef(entity) => {
                if let Ok(Some(c)) = entity.resolve_char_ref() {
                    take(Part::Words(c.to_string().into()));
                } else if let Some(words) = resolve_predefined_entity(&entity) {
                    take(Part::Words(words.into()));
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}
