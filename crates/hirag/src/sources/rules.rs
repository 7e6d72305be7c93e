use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

use super::SourceError;
use crate::context::{ContextLevel, MAX_NAME_BYTES};

/// Globs of a source at most, of each kind.
const GLOBS: usize = 200;
/// Bytes of a glob or a kind at most.
const BYTES: usize = 500;

/// What is read of a source, and as what.
///
/// Globs are those of `.gitignore`: `*.md` holds at any depth, `/drafts` only at the top,
/// `drafts/` for a folder with all that is in it, `**/2024/*.md` across folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "ts", ts(optional_fields = nullable))]
#[serde(default, deny_unknown_fields)]
pub struct SourceRules {
    /// Only files that one of these globs holds for; all, where there is none.
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>", optional))]
    pub include: Vec<String>,
    /// No files that one of these globs holds for.
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>", optional))]
    pub exclude: Vec<String>,
    /// The level of contexts that bring none along; L3 where nothing is said.
    #[cfg_attr(feature = "openapi", schema(nullable = true))]
    pub level: Option<ContextLevel>,
    /// Put into the metadata as `doc_type`, where a file has none of its own.
    pub doc_type: Option<String>,
    /// The agent of contexts that bring none along.
    pub agent: Option<String>,
    /// The session of contexts that bring none along.
    pub session: Option<String>,
}

impl SourceRules {
    /// Refuses globs that cannot be read, and values that are empty or too long.
    ///
    /// # Errors
    /// [`SourceError::BadRule`] with the rule and its value.
    pub fn validate(&self) -> Result<(), SourceError> {
        Matcher::new(self)?;
        let texts = [
            ("doc_type", &self.doc_type, BYTES),
            // Contexts with a longer one could not be stored.
            ("agent", &self.agent, MAX_NAME_BYTES),
            ("session", &self.session, MAX_NAME_BYTES),
        ];
        for (key, value, most) in texts {
            if let Some(value) = value
                && (value.trim().is_empty() || value.len() > most)
            {
                return Err(bad(key, value, format!("must have 1 to {most} bytes")));
            }
        }
        Ok(())
    }
}

fn bad(key: &'static str, value: &str, rule: String) -> SourceError {
    SourceError::BadRule {
        key,
        value: value.chars().take(BYTES).collect(),
        rule,
    }
}

/// The globs of some rules, ready to be asked.
#[derive(Debug)]
pub(crate) struct Matcher {
    include: Gitignore,
    exclude: Gitignore,
}

impl Matcher {
    /// # Errors
    /// [`SourceError::BadRule`] for a glob that cannot be read.
    pub(crate) fn new(rules: &SourceRules) -> Result<Self, SourceError> {
        Ok(Self {
            include: globs("include", &rules.include)?,
            exclude: globs("exclude", &rules.exclude)?,
        })
    }

    /// Whether a file is read, by its path below the root.
    pub(crate) fn takes(&self, path: &Path) -> bool {
        let holds = |globs: &Gitignore| globs.matched_path_or_any_parents(path, false).is_ignore();
        (self.include.is_empty() || holds(&self.include)) && !holds(&self.exclude)
    }

    /// Whether a folder is passed over with all that is in it, or a file whatever else it is, by the
    /// path below the root.
    pub(crate) fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
        let found = self.exclude.matched_path_or_any_parents(path, is_folder);
        found.is_ignore()
    }
}

fn globs(key: &'static str, globs: &[String]) -> Result<Gitignore, SourceError> {
    if globs.len() > GLOBS {
        let rule = format!("must be {GLOBS} globs at most");
        return Err(bad(key, &format!("{} globs", globs.len()), rule));
    }
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        // In a `.gitignore` these would be nothing, the contrary, or a remark.
        if glob.trim().is_empty() || glob.starts_with(['!', '#']) || glob.len() > BYTES {
            let rule = "must be globs of 1 to 500 bytes that do not begin with `!` or `#`";
            return Err(bad(key, glob, rule.to_owned()));
        }
        builder
            .add_line(None, glob)
            .map_err(|error| bad(key, glob, format!("must be a glob: {error}")))?;
    }
    builder
        .build()
        .map_err(|error| bad(key, &globs.join(" "), format!("must be globs: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let text = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let rules = SourceRules {
            include: text(include),
            exclude: text(exclude),
            ..SourceRules::default()
        };
        let matcher = Matcher::new(&rules).unwrap();
        let paths = [
            "a.md",
            "a.txt",
            "drafts/b.md",
            "deep/drafts/c.md",
            "2024/d.md",
        ];
        let mut taken = paths.to_vec();
        taken.retain(|path| matcher.takes(Path::new(path)));
        taken
    }

    #[test]
    fn globs_hold_as_in_a_gitignore() {
        assert_eq!(taken(&[], &[]).len(), 5);
        assert_eq!(taken(&["*.txt"], &[]), ["a.txt"]);
        assert_eq!(taken(&["*.md"], &["drafts/"]), ["a.md", "2024/d.md"]);
        assert_eq!(
            taken(&["*.md"], &["/drafts"]),
            ["a.md", "deep/drafts/c.md", "2024/d.md"]
        );
        assert_eq!(taken(&["2024/**"], &[]), ["2024/d.md"]);
    }

    #[test]
    fn a_folder_is_left_out_with_all_that_is_in_it_by_what_excludes_it() {
        let rules = SourceRules {
            include: vec!["*.md".to_owned()],
            exclude: vec!["drafts/".to_owned()],
            ..SourceRules::default()
        };
        let matcher = Matcher::new(&rules).unwrap();
        let out = |folder: &str| matcher.leaves_out(Path::new(folder), true);
        assert!(out("drafts") && out("drafts/old"));
        assert!(!out("letters"), "there may be notes in it");
    }

    #[test]
    fn rules_that_cannot_be_kept_are_refused_by_name_and_value() {
        for (key, rules) in [
            ("include", r#"{"include": ["a{b", "b"]}"#),
            ("include", r#"{"include": ["  "]}"#),
            ("exclude", r#"{"exclude": ["!*.md"]}"#),
            ("doc_type", r#"{"doc_type": " "}"#),
        ] {
            let rules: SourceRules = serde_json::from_str(rules).unwrap();
            let error = rules.validate().unwrap_err();
            assert_eq!(error.code(), "invalid_source");
            assert!(error.to_string().starts_with(key), "{error}");
        }
    }

    #[test]
    fn an_agent_or_a_session_that_no_context_may_have_is_refused() {
        let rules = |agent: usize, session: usize| SourceRules {
            agent: Some("a".repeat(agent)),
            session: Some("s".repeat(session)),
            ..SourceRules::default()
        };
        assert_eq!(rules(256, 256).validate(), Ok(()));
        for rules in [rules(257, 1), rules(1, 257)] {
            let error = rules.validate().unwrap_err().to_string();
            assert!(error.ends_with("must have 1 to 256 bytes"), "{error}");
        }
    }
}
