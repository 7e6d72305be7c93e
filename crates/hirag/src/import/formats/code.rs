//! Source code. It is called by its file's whole name: the ending is half of what it is.

use super::decode::decode;
use super::{Fault, Manuscript};
use crate::import::SourceFile;
use crate::import::cutting::{Language, Piece, Shape};
use crate::import::kinds::language;

pub(super) fn read(file: &SourceFile, bytes: &[u8]) -> Result<Manuscript, Fault> {
    let decoded = decode(bytes, None)?;
    let language = language(&file.path).unwrap_or(Language::Other("script"));
    let name = file.path.file_name().unwrap_or_default();
    let piece = Piece::new("code", &name.to_string_lossy(), decoded.text)
        .shaped(Shape::Code(language))
        .of_file(&file.path)
        .with("language", language.name());
    Ok(Manuscript {
        pieces: vec![piece],
        warnings: decoded.warning.into_iter().collect(),
    })
}
