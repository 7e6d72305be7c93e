//! Folders of notes, always the same for the same numbers.

use std::fs;
use std::path::Path;

/// Words that notes are made of.
const WORDS: [&str; 24] = [
    "river", "stone", "lantern", "copper", "violin", "harbour", "meadow", "compass", "ember",
    "glacier", "orchard", "thunder", "velvet", "walnut", "anchor", "bridge", "candle", "desert",
    "feather", "garden", "island", "jungle", "kettle", "ladder",
];

/// One section of a note, about 60 words, different from every other.
#[must_use]
pub fn section(note: usize, section: usize) -> String {
    let words: Vec<&str> = (0..55)
        .map(|place| WORDS[(note * 31 + section * 17 + place * (note + 7)) % WORDS.len()])
        .collect();
    format!("Part {section} of note {note}. {}.", words.join(" "))
}

/// The text of a note with front matter and `sections` sections.
#[must_use]
pub fn note(number: usize, sections: usize) -> String {
    edition(number, sections, 0)
}

/// The note in a later edition: every third section is as it was, the rest is new.
#[must_use]
pub fn edition(number: usize, sections: usize, edition: usize) -> String {
    let mut text = format!(
        "---\ntopic: t{}\nnumber: {number}\n---\n# Note {number}\n",
        number % 7
    );
    for part in 0..sections {
        let newest = if part % 3 == 0 { 0 } else { edition };
        let body = section(number, part + 1_000 * newest);
        text.push_str(&format!("\n## Section {part}\n\n{body}\n"));
    }
    text
}

/// Writes `count` notes of `sections` sections into `folder`, ten a subfolder.
pub fn write(folder: &Path, count: usize, sections: usize) {
    write_edition(folder, count, sections, 0);
}

/// Writes the same notes in a later edition.
pub fn write_edition(folder: &Path, count: usize, sections: usize, edition: usize) {
    for number in 0..count {
        let place = folder.join(format!("part-{}", number / 10));
        fs::create_dir_all(&place).unwrap();
        let text = self::edition(number, sections, edition);
        fs::write(place.join(format!("note-{number}.md")), text).unwrap();
    }
}
