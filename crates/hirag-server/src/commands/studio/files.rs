//! What only a window has: files that a person picks, links that are opened outside, and the report
//! of a fault. The dialogs are the shell's; what is asked and answered stands here.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::commands::{Error, Result};
use crate::whole_file::WholeFile;

/// What to pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct PickPathsRequest {
    /// Folders; otherwise files.
    pub folders: bool,
}

/// What was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct PickedPaths {
    /// Absolute; empty when nothing was picked.
    pub paths: Vec<String>,
}

/// A file to write later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct PickSaveRequest {
    /// The name that is offered.
    pub suggested: String,
}

/// Where to write a file, or where it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct PickedPath {
    /// Absolute; `None` when the person thought better of it.
    pub path: Option<String>,
}

/// How bytes come as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// They are text.
    Utf8,
    /// RFC 4648, with padding.
    Base64,
}

/// A file to write where a person says.
#[derive(Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct SaveRequest {
    /// The name that is offered.
    pub suggested: String,
    /// What is in it.
    pub content: String,
    /// How it is written down.
    pub encoding: Encoding,
}

impl std::fmt::Debug for SaveRequest {
    /// Without what is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaveRequest")
            .field("suggested", &self.suggested)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl SaveRequest {
    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for what is not base64 and should be.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        match self.encoding {
            Encoding::Utf8 => Ok(self.content.into_bytes()),
            Encoding::Base64 => STANDARD
                .decode(&self.content)
                .map_err(|error| Error::BadRequest {
                    key: "content",
                    value: error.to_string(),
                    rule: "must be base64 with padding",
                }),
        }
    }
}

/// A link to open in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct OpenLinkRequest {
    /// Its address: `http`, `https` or `mailto`.
    pub url: String,
}

/// The report of the latest fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct CrashReport {
    /// As text, without contents and secrets; `None` when there was no fault in this run.
    pub report: Option<String>,
}

/// Writes a file in place of the one that may be there, whole or not at all.
///
/// # Errors
/// [`Error::Unwritable`]; the file is as it was then.
pub async fn write_file(path: PathBuf, bytes: Vec<u8>) -> Result<()> {
    let work = move || {
        let mut file = WholeFile::begin(&path)?;
        file.put(&bytes)?;
        file.finish()
    };
    tokio::task::spawn_blocking(work).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content: &str, encoding: Encoding) -> SaveRequest {
        SaveRequest {
            suggested: "chart.png".to_owned(),
            content: content.to_owned(),
            encoding,
        }
    }

    #[test]
    fn a_picture_comes_as_base64_and_is_written_as_bytes() {
        let bytes = request("iVBORw==", Encoding::Base64).into_bytes().unwrap();
        assert_eq!(bytes, b"\x89PNG");
    }

    #[test]
    fn what_is_not_base64_is_refused_before_anything_is_written() {
        let refused = request("<svg>", Encoding::Base64).into_bytes();
        assert_eq!(refused.unwrap_err().code(), "invalid_request");
    }

    #[tokio::test]
    async fn a_file_that_is_there_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.html");
        std::fs::write(&file, "a longer text from before").unwrap();
        write_file(file.clone(), b"new".to_vec()).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gone/report.html");
        let error = write_file(file, Vec::new()).await.unwrap_err();
        assert_eq!(error.code(), "io_failed");
        assert!(error.to_string().contains("gone"), "{error}");
    }

    #[test]
    fn a_request_to_save_does_not_show_its_content_in_debug_output() {
        let shown = format!("{:?}", request("what I think of Jonas", Encoding::Utf8));
        assert!(!shown.contains("Jonas"), "{shown}");
    }
}
