//! Notes in Markdown, also those of Obsidian and Logseq.

mod blocks;
mod front_matter;
mod vault;

pub(in crate::import) use self::blocks::markdown as outline;
use self::front_matter::FrontMatter;
use super::decode::decode;
use super::{Fault, Manuscript};
use crate::context::Limits;
use crate::import::SourceFile;
use crate::import::cutting::{self, Kind, Part, Piece, Shape, stem};

/// Reads a note. Its text is the note's own but for front matter.
///
/// **Metadata.** The keys of the front matter, or the page properties of Logseq; `title` (front
/// matter, or else the first heading of level 1, or else the file's name without its ending),
/// `file`, `heading` (`Title > Section`), `tags` (of the front matter and of the whole note: they
/// say what the note is about), and of the chunk itself `links` (the targets of its wikilinks),
/// `embeds` (of `![[…]]`) and `block_refs` (the ids of `((…))`).
pub(super) fn read(file: &SourceFile, bytes: &[u8], limits: &Limits) -> Result<Manuscript, Fault> {
    let decoded = decode(bytes, None)?;
    let text = decoded.text;
    let mut warnings: Vec<_> = decoded.warning.into_iter().collect();
    let (front, body) = match front_matter::split(&text, limits) {
        Ok((front, body)) if front == FrontMatter::default() => {
            vault::properties(body, limits).unwrap_or((front, body))
        }
        Ok(parts) => parts,
        Err(reason) => {
            let sentence =
                format!("the front matter is not valid YAML ({reason}); it was imported as text");
            warnings.push(("front_matter", sentence));
            (FrontMatter::default(), text.as_str())
        }
    };
    let left_out = front.left_out.iter().cloned();
    warnings.extend(left_out.map(|sentence| ("front_matter", sentence)));

    let mut outline = blocks::markdown(body);
    vault::references(body, &mut outline);
    let front_tags = front.tags.into_iter().map(|tag| (0, tag));
    outline.tags.splice(0..0, front_tags);
    let heading = outline.blocks.iter().find_map(|block| match &block.kind {
        Kind::Heading(1, name) if !name.trim().is_empty() => Some(name.trim().to_owned()),
        _ => None,
    });
    let title = front.title.or(heading);
    let title = title.unwrap_or_else(|| vault::page_name(&stem(&file.path)));
    let mut piece = Piece::new("markdown", &title, body.to_owned())
        .shaped(Shape::Blocks(outline))
        .of_file(&file.path);
    // What the note says of itself goes first, but for its file.
    let own = std::mem::replace(&mut piece.metadata, front.metadata);
    for (key, value) in own {
        if key == "file" {
            piece.metadata.insert(key, value);
        } else {
            piece.metadata.entry(key).or_insert(value);
        }
    }
    piece.created_at = front.created_at;
    Ok(Manuscript {
        pieces: vec![piece],
        warnings,
    })
}

/// The parts between which a text in Markdown can be cut for a reader.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    cutting::parts(text, outline(text))
}

#[cfg(test)]
mod tests;
