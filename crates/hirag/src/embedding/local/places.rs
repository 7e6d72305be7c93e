//! Where the model's folder is looked for.

use std::env;
use std::path::{Path, PathBuf};

use crate::embedding::EmbeddingError;

const NAME: &str = "all-MiniLM-L6-v2";

/// See [`LocalModel::find`](super::LocalModel::find).
pub(super) fn find(setting: Option<&Path>) -> Result<PathBuf, EmbeddingError> {
    let executable = env::current_exe().and_then(|path| path.canonicalize()).ok();
    first_with_model(&candidates(
        setting,
        data_home().as_deref(),
        executable.as_deref().and_then(Path::parent),
    ))
}

/// The places, the preferred one first. A setting stands alone: whoever names a folder does not
/// want another model when it is absent.
fn candidates(
    setting: Option<&Path>,
    data_home: Option<&Path>,
    program_dir: Option<&Path>,
) -> Vec<PathBuf> {
    if let Some(folder) = setting {
        return vec![folder.to_owned()];
    }
    let in_data = data_home.map(|home| home.join("hirag/models").join(NAME));
    let beside = ["models", "../share/hirag/models", "../lib/hirag/models"];
    let beside = beside
        .into_iter()
        .filter_map(|folder| Some(program_dir?.join(folder).join(NAME)));
    in_data.into_iter().chain(beside).collect()
}

fn first_with_model(places: &[PathBuf]) -> Result<PathBuf, EmbeddingError> {
    if let Some(found) = places
        .iter()
        .find(|place| place.join("model.onnx").is_file())
    {
        return Ok(found.clone());
    }
    let mut names = places.iter().map(|place| place.display().to_string());
    let path = names
        .next()
        .unwrap_or_else(|| format!("hirag/models/{NAME} in the data folder"));
    let others: Vec<String> = names.collect();
    let reason = if others.is_empty() {
        "there is no model.onnx".to_owned()
    } else {
        format!("there is no model.onnx, nor in {}", others.join(", "))
    };
    Err(EmbeddingError::ModelFiles { path, reason })
}

/// The folder for the data of a person's programs, which `scripts/fetch-model` uses too.
fn data_home() -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let folder = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("XDG_DATA_HOME").or_else(|| {
        if cfg!(windows) {
            folder("APPDATA")
        } else if cfg!(target_os = "macos") {
            folder("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            folder("HOME").map(|home| home.join(".local/share"))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn with_model(folder: PathBuf) -> PathBuf {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("model.onnx"), "x").unwrap();
        folder
    }

    #[test]
    fn the_data_folder_goes_before_the_programs_own() {
        let root = tempfile::tempdir().unwrap();
        let (data, program) = (root.path().join("data"), root.path().join("app/bin"));
        let places = candidates(None, Some(&data), Some(&program));
        let bundled = with_model(program.join("../share/hirag/models").join(NAME));
        // The path leads through the program's own folder.
        fs::create_dir_all(&program).unwrap();
        assert_eq!(first_with_model(&places).unwrap(), bundled);
        let fetched = with_model(data.join("hirag/models").join(NAME));
        assert_eq!(first_with_model(&places).unwrap(), fetched);
    }

    #[test]
    fn a_folder_by_setting_is_never_replaced_by_another() {
        let root = tempfile::tempdir().unwrap();
        with_model(root.path().join("hirag/models").join(NAME));
        let wanted = root.path().join("mine");
        let error =
            first_with_model(&candidates(Some(&wanted), Some(root.path()), None)).unwrap_err();
        let EmbeddingError::ModelFiles { path, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(path, &wanted.display().to_string());
        assert!(error.to_string().contains("make setup"), "{error}");
    }

    #[test]
    fn an_absent_model_names_every_place_that_was_looked_at() {
        let places = candidates(
            None,
            Some(Path::new("/nowhere")),
            Some(Path::new("/bin-dir")),
        );
        let message = first_with_model(&places).unwrap_err().to_string();
        for place in places {
            assert!(message.contains(&place.display().to_string()), "{message}");
        }
        assert!(first_with_model(&[]).is_err());
    }
}
