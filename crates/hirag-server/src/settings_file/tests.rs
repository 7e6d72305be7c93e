use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;

const WRITTEN: &str = "# mine
[hirag] # the heart
# as many as I can remember
l1_size = 7 # seven
l2_size = 500

[hirag.ranking_weights]
similarity = 0.7
recency = 0.1
level = 0.1
frequency = 0.1
# the end
";

fn file(text: &str) -> (TempDir, SettingsFile) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    if !text.is_empty() {
        fs::write(&path, text).unwrap();
    }
    (folder, SettingsFile::new(path, Vec::new()))
}

fn change(key: &str, value: serde_json::Value) -> SettingChange {
    SettingChange {
        key: key.to_owned(),
        value,
    }
}

fn text(file: &SettingsFile) -> String {
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_change_leaves_everything_else_byte_for_byte() {
    let (_folder, file) = file(WRITTEN);
    let config = file.change(&[change("hirag.l1_size", json!(9))]).unwrap();
    assert_eq!(config.hirag.l1_size, 9);
    assert_eq!(text(&file), WRITTEN.replace("l1_size = 7", "l1_size = 9"));
    assert_eq!(file.load().unwrap(), config);
}

#[test]
fn null_takes_the_key_out_and_leaves_the_comment_above_it() {
    let (_folder, file) = file(WRITTEN);
    let config = file
        .change(&[change("hirag.l1_size", json!(null))])
        .unwrap();
    assert_eq!(config.hirag.l1_size, Config::default().hirag.l1_size);
    assert_eq!(text(&file), WRITTEN.replace("l1_size = 7 # seven\n", ""));
    // What is not there is at its default already.
    file.change(&[change("levels.promotion", json!(null))])
        .unwrap();
}

#[test]
fn a_new_section_and_a_new_file_are_made() {
    let (_folder, file) = file("");
    let config = file
        .change(&[
            change("hirag.retrieval_strategy.vector_weight", json!(0.25)),
            change("levels.l2_ttl", json!("3d")),
        ])
        .unwrap();
    assert_eq!(config.hirag.retrieval_strategy.vector_weight, 0.25);
    assert_eq!(file.load().unwrap(), config);
    assert!(!text(&file).contains("[hirag]\n"), "{}", text(&file));
}

#[test]
fn a_bad_value_is_named_with_its_rule_and_nothing_is_written() {
    let (_folder, file) = file(WRITTEN);
    for (bad, part) in [
        (change("hirag.l1_size", json!(0)), "between 1 and 10000"),
        (change("hirag.l1_size", json!("many")), "whole number"),
        (
            change("hirag.l1_sise", json!(1)),
            "did you mean `hirag.l1_size`",
        ),
        (
            change("hirag.l1_size", json!([1])),
            "must be text, a number",
        ),
        (change("hirag", json!(1)), "hirag"),
        (change("hirag..x", json!(1)), "unknown setting"),
        (change("hirag.l1_size.x", json!(1)), "unknown setting"),
    ] {
        let error = file
            .change(&[change("levels.promotion", json!(3)), bad.clone()])
            .unwrap_err();
        assert_eq!(error.code(), "invalid_settings");
        assert!(error.to_string().contains(part), "{bad:?}: {error}");
        assert_eq!(text(&file), WRITTEN);
    }
}

#[test]
fn weights_are_judged_together() {
    let (_folder, file) = file(WRITTEN);
    let raise = change("hirag.ranking_weights.similarity", json!(0.8));
    assert!(file.change(std::slice::from_ref(&raise)).is_err());
    let lower = change("hirag.ranking_weights.recency", json!(0.0));
    file.change(&[raise, lower]).unwrap();
}

#[test]
fn every_problem_is_told() {
    let (_folder, file) = file(WRITTEN);
    let problems = file
        .problems(&[
            change("hirag.l1_size", json!(0)),
            change("hirag.ranking_weights.similarity", json!(0.9)),
            change("levels.promotion", json!(2)),
            change("nonsense", json!(2)),
        ])
        .unwrap();
    let mut keys: Vec<_> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["hirag.l1_size", "hirag.ranking_weights", "nonsense"]);
    assert!(
        file.problems(&[change("hirag.l1_size", json!(3))])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_file_that_is_no_toml_stays_and_its_line_is_told() {
    let (_folder, file) = file("[hirag]\nl1_size = = 3\n");
    let error = file
        .change(&[change("hirag.l1_size", json!(3))])
        .unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    assert_eq!(text(&file), "[hirag]\nl1_size = = 3\n");
}

#[test]
fn a_bad_key_can_be_set_right() {
    let (_folder, file) = file("[hirag]\nl1_size = 0\n");
    assert!(file.load().is_err());
    file.change(&[change("hirag.l1_size", json!(3))]).unwrap();
    assert_eq!(file.load().unwrap().hirag.l1_size, 3);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, real) = file(WRITTEN);
    fs::set_permissions(real.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.toml");
    symlink(real.path(), &link).unwrap();
    let file = SettingsFile::new(link.clone(), Vec::new());
    file.change(&[change("hirag.l1_size", json!(3))]).unwrap();
    assert!(link.is_symlink());
    assert_eq!(real.load().unwrap().hirag.l1_size, 3);
    let mode = real.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn only_what_is_read_at_the_start_needs_a_restart() {
    let running = Config::default();
    let wanted = Config::from_toml(
        "[hirag]\nl1_size = 3\n[embedding]\ncache_size = 3\nbatch_size = 4\n[server]\nport = 9\n[logging]\nlevel = \"info\"\n",
    )
    .unwrap();
    assert_eq!(
        restart_needed(&running, &wanted),
        ["embedding.cache_size", "logging.level"]
    );
}

#[test]
fn a_change_from_outside_counts_once_it_has_settled() {
    let (_folder, file) = file(WRITTEN);
    let mut watch = Watch::new(file.path().to_owned());
    assert!(!watch.changed());
    fs::write(file.path(), "# half").unwrap();
    assert!(!watch.changed(), "it may go on being written");
    fs::write(file.path(), "# the whole of it").unwrap();
    assert!(!watch.changed(), "it went on");
    assert!(watch.changed());
    assert!(!watch.changed());
    file.change(&[change("hirag.l1_size", json!(3))]).unwrap();
    watch.known_now();
    assert!(!watch.changed() && !watch.changed());
    fs::remove_file(file.path()).unwrap();
    assert!(!watch.changed());
    assert!(watch.changed());
}
