//! Where the time went, as a tree.

use std::fmt::Write;

use super::super::output::Style;
use super::{bytes, count};
use crate::profile::{Profile, ProfilePart};

pub(in super::super) fn profile(profile: &Profile, style: Style) -> String {
    let root = &profile.root;
    let mut out = format!(
        "{} took {} ms",
        root.name,
        millis(root.total_us).trim_start()
    );
    if let Some(grew) = profile.memory_bytes {
        let sign = if grew < 0 { "-" } else { "+" };
        let _ = write!(out, ", memory {sign}{}", bytes(grew.unsigned_abs()));
    }
    let head = format!("{:>10} {:>6} {:>10}", "ms", "share", "alone ms");
    let _ = write!(out, "\n\n{}", style.dim(&head));
    push(&mut out, root, 0, style);
    out
}

fn push(out: &mut String, part: &ProfilePart, depth: usize, style: Style) {
    let name = match depth {
        0 => style.bold(&part.name),
        _ => part.name.clone(),
    };
    let runs = match part.runs {
        1 => String::new(),
        runs => style.dim(&format!(" ({})", count(runs, "run"))),
    };
    let _ = write!(
        out,
        "\n{} {:>4.0} % {}  {}{name}{runs}",
        millis(part.total_us),
        part.share * 100.0,
        millis(part.self_us),
        "  ".repeat(depth),
    );
    for inner in &part.parts {
        push(out, inner, depth + 1, style);
    }
}

fn millis(micros: u64) -> String {
    format!("{:>10.3}", micros as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_time_its_share_and_what_it_took_alone() {
        let part = |name: &str, runs, total_us, self_us, parts| ProfilePart {
            name: name.to_owned(),
            runs,
            total_us,
            self_us,
            share: total_us as f64 / 10_000.0,
            parts,
        };
        let inner = part("database: retrieve", 3, 2_500, 2_500, Vec::new());
        let told = profile(
            &Profile {
                memory_bytes: Some(-2_048),
                root: part("search", 1, 10_000, 7_500, vec![inner]),
            },
            Style::default(),
        );
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "search took 10.000 ms, memory -2.00 KiB");
        assert_eq!(lines[3], "    10.000  100 %      7.500  search");
        assert_eq!(
            lines[4],
            "     2.500   25 %      2.500    database: retrieve (3 runs)"
        );
    }
}
