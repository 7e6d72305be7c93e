//! The real window: the built program on a display that nobody sees, moved by a WebDriver.
//!
//! A [`Desk`] is what a person sits at: a home folder, a display, a bus, perhaps a keyring. It opens a
//! [`Studio`], whose [`Page`] is used as a person uses it, by roles and by the words that stand
//! there. Everything that was started ends when its value is dropped.
//!
//! With `HIRAG_FRONT=browser` the same page is shown by Chromium, from `hirag serve` over HTTP.

mod bus;
mod crowd;
mod desk;
mod display;
mod driver;
mod front;
mod home;
mod keyring;
mod page;
mod picture;
mod process;
mod server;
mod studio;

pub use desk::Desk;
pub use home::Home;
pub use page::{END, Page, Role};
pub use process::Running;
pub use studio::Studio;

use std::time::{Duration, Instant};

/// How long anything may take that a person waits for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Looks until there is something, at most for [`PATIENCE`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "still waiting until {what}");
        // The other processes need the cores more than the question does.
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
