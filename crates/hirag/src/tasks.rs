//! Work on other tasks and threads.

use tokio::task::JoinError;

/// Why work on another task or thread gave nothing, without what a panic said: that may hold a text
/// or a token, and errors are shown and logged.
#[must_use]
pub fn broken_off(error: &JoinError) -> String {
    match error.is_panic() {
        true => "the work broke off by a panic",
        false => "the work was ended from outside",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_does_not_tell_what_it_panicked_over() {
        let work = tokio::spawn(async { panic!("a note about {}", "Jonas") });
        let told = broken_off(&work.await.unwrap_err());
        assert_eq!(told, "the work broke off by a panic");
    }
}
