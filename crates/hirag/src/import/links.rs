//! Which note the target of a `[[wikilink]]` means.

use std::path::Path;

use crate::context::Metadata;

/// What a note may be called in a link. Case makes no difference, as in Obsidian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkedNote {
    /// Its folders and its name, without the ending.
    path: Vec<String>,
    /// Its title, and its name as Logseq writes it.
    names: Vec<String>,
}

impl LinkedNote {
    /// The note that a context is of; none for what is of no note.
    pub(crate) fn of(source: Option<&str>, metadata: &Metadata) -> Option<Self> {
        let file = metadata.get("file")?.as_str()?;
        let name = without_ending(file)?.to_lowercase();
        let mut path: Vec<String> = source
            .unwrap_or_default()
            .split(['/', '\\'])
            .map(str::to_lowercase)
            .collect();
        path.pop();
        let title = metadata.get("title").and_then(|title| title.as_str());
        let mut names = vec![name.replace("___", "/").replace("%2f", "/")];
        names.extend(title.map(|title| title.trim().to_lowercase()));
        path.push(name);
        Some(Self { path, names })
    }

    /// Whether a link to `target` leads to the note, to one of its headings or to a block of it. A
    /// path may leave out folders at its start; where it starts from is not looked at.
    pub(crate) fn is_meant_by(&self, target: &str) -> bool {
        let page = target.split(['#', '|']).next().unwrap_or_default().trim();
        let mut name = without_ending(page).unwrap_or(page);
        while let Some(rest) = ["./", "../", "/"]
            .iter()
            .find_map(|up| name.strip_prefix(up))
        {
            name = rest;
        }
        let name = name.to_lowercase();
        if name.is_empty() {
            return false;
        }
        let parts: Vec<&str> = name.split('/').collect();
        let path = self.path.iter().rev().map(String::as_str);
        let by_path = parts.len() <= self.path.len()
            && parts.iter().rev().copied().eq(path.take(parts.len()));
        by_path || self.names.contains(&name)
    }
}

/// A note's name without what tells that it is one.
fn without_ending(name: &str) -> Option<&str> {
    let ending = Path::new(name).extension()?;
    let is_note = ["md", "markdown"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    is_note.then(|| &name[..name.len() - ending.len() - 1])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn note(source: &str, file: &str, title: Option<&str>) -> Option<LinkedNote> {
        let metadata = json!({"file": file, "title": title});
        LinkedNote::of(Some(source), metadata.as_object()?)
    }

    #[test]
    fn a_note_is_meant_by_its_name_and_by_its_path_whatever_the_case() {
        let plan = note(
            "/home/ada/Vault/Trips/Plan B.md",
            "Plan B.md",
            Some("The Plan"),
        )
        .unwrap();
        for target in [
            "Plan B",
            "plan b",
            "PLAN B.md",
            "Plan B#Day 1",
            "plan b#^block",
            "Plan B#Day 1|the day",
            "Plan B|alias",
            "trips/plan b",
            "Vault/Trips/Plan B#Day 1",
            "/Trips/Plan B",
            "../Trips/Plan B",
            "./Plan B",
            "the plan",
        ] {
            assert!(plan.is_meant_by(target), "{target}");
        }
        for target in [
            "Plan",
            "an B",
            "Plan B/Trips",
            "ips/Plan B",
            "other/Plan B",
            "#Day 1",
            "",
            "Plan B.pdf",
        ] {
            assert!(!plan.is_meant_by(target), "{target}");
        }
    }

    #[test]
    fn a_page_of_logseq_is_meant_by_its_folders() {
        let page = note("/graph/pages/trips___Plan.md", "trips___Plan.md", None).unwrap();
        assert!(page.is_meant_by("Trips/plan") && page.is_meant_by("trips___plan"));
        let page = note("/graph/pages/trips%2FPlan.md", "trips%2FPlan.md", None).unwrap();
        assert!(page.is_meant_by("trips/Plan#x"));
    }

    #[test]
    fn what_is_no_note_is_meant_by_none() {
        assert_eq!(note("/a.pdf", "a.pdf", None), None);
        assert_eq!(LinkedNote::of(None, &Metadata::new()), None);
        assert!(
            note("/a/B.MARKDOWN", "B.MARKDOWN", None)
                .unwrap()
                .is_meant_by("b")
        );
    }
}
