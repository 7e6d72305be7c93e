use std::ops::Deref;
use std::sync::Arc;

use serde_json::json;

use super::desk::Desk;
use super::driver::Driver;
use super::page::Page;
use super::process::{children, is_alive, send};
use super::until;

/// The window while it is open.
#[derive(Debug)]
pub struct Studio {
    page: Page,
    window: u32,
}

impl Studio {
    pub(super) fn open(desk: &Desk) -> Self {
        let driver = Driver::start(desk);
        let window = driver.window();
        let page = Page::new(Arc::new(driver));
        let size = json!({"x": 0, "y": 0, "width": 1280, "height": 800});
        page.driver.ask("POST", "/window/rect", Some(size)).unwrap();
        let shown =
            "return document.querySelector('main h1') && !text().includes('Opening the database');";
        let _ = page.ask("the window shows something", shown);
        Self { page, window }
    }

    /// Ends the process without a word to it, as a power cut would.
    pub fn kill(self) {
        send("KILL", &self.window.to_string());
        self.wait_for_the_end();
    }

    /// Closes it as the system does, and waits until the process has ended.
    pub fn close(self) {
        send("TERM", &self.window.to_string());
        self.wait_for_the_end();
    }

    /// The process of the program.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.window
    }

    /// The processes of the program and of the web view that it has started.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.window];
        let mut next = 0;
        while let Some(pid) = all.get(next) {
            all.extend(children(*pid));
            next += 1;
        }
        all
    }

    /// Whether the process is there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        is_alive(self.window)
    }

    fn wait_for_the_end(&self) {
        until("the process has ended", || (!self.is_open()).then_some(()));
    }
}

impl Deref for Studio {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}
