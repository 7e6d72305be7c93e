//! How the texts of one call are divided into runs of the model.

/// Texts in one run at most. More gains nothing and costs memory.
const MAX_TEXTS: usize = 8;

/// Tokens in one run at most, padding counted; a text that is longer alone runs alone.
///
/// It bounds the memory of the model's intermediate results.
const MAX_TOKENS: usize = 512;

/// Divides texts of the given token counts into runs, each a list of their positions.
///
/// Texts of like length stand together, for a run costs as much as if all its texts were as long
/// as the longest: none is shorter than half of it. The longest come first, so that threads which
/// share the runs end at about the same time.
pub(super) fn plan(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&text| std::cmp::Reverse(lengths[text]));
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for text in order {
        match runs.last_mut() {
            Some(run)
                if run.len() < MAX_TEXTS
                    && longest * (run.len() + 1) <= MAX_TOKENS
                    && lengths[text] * 2 >= longest =>
            {
                run.push(text);
            }
            _ => {
                longest = lengths[text];
                runs.push(vec![text]);
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_texts_share_a_run_and_a_long_one_runs_apart() {
        let runs = plan(&[10, 300, 12, 9, 11]);
        assert_eq!(runs, vec![vec![1], vec![2, 4, 0, 3]]);
    }

    #[test]
    fn no_text_needs_no_run() {
        assert!(plan(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_text_runs_once_within_the_bounds(
            lengths in proptest::collection::vec(1_usize..600, 0..100)
        ) {
            let runs = plan(&lengths);
            let mut seen: Vec<usize> = runs.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for run in runs {
                let longest = run.iter().map(|&text| lengths[text]).max().unwrap_or(0);
                prop_assert!(run.len() <= MAX_TEXTS);
                prop_assert!(run.len() == 1 || longest * run.len() <= MAX_TOKENS);
                prop_assert!(run.iter().all(|&text| lengths[text] * 2 >= longest));
            }
        }
    }
}
