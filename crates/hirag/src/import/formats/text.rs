//! Plain text.

use super::decode::decode;
use super::{Fault, Manuscript};
use crate::import::SourceFile;
use crate::import::cutting::{Piece, stem};

pub(super) fn read(file: &SourceFile, bytes: &[u8]) -> Result<Manuscript, Fault> {
    let decoded = decode(bytes, None)?;
    let piece = Piece::new("text", &stem(&file.path), decoded.text).of_file(&file.path);
    Ok(Manuscript {
        pieces: vec![piece],
        warnings: decoded.warning.into_iter().collect(),
    })
}
