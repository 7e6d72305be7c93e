use std::ops::Deref;
use std::sync::Arc;

use serde_json::json;

use super::desk::Desk;
use super::driver::Driver;
use super::front::Front;
use super::page::Page;
use super::process::{children, is_alive, send};
use super::server::Server;
use super::until;

/// The program and its page while they are open.
#[derive(Debug)]
pub struct Studio {
    page: Page,
    program: u32,
    /// In a browser; ended after the page.
    _server: Option<Server>,
}

impl Studio {
    pub(super) fn open(desk: &Desk) -> Self {
        let (driver, program, server) = match Front::chosen() {
            Front::Window => {
                let driver = Driver::window(desk);
                let program = driver.started();
                (driver, program, None)
            }
            Front::Browser => {
                let server = Server::start(desk);
                let driver = Driver::browser(desk, &server.link);
                (driver, server.pid(), Some(server))
            }
        };
        let page = Page::new(Arc::new(driver));
        let size = json!({"x": 0, "y": 0, "width": 1280, "height": 800});
        page.driver.ask("POST", "/window/rect", Some(size)).unwrap();
        let shown =
            "return document.querySelector('main h1') && !text().includes('Opening the database');";
        let _ = page.ask("the page shows something", shown);
        Self {
            page,
            program,
            _server: server,
        }
    }

    /// Ends the process without a word to it, as a power cut would.
    pub fn kill(self) {
        send("KILL", &self.program.to_string());
        self.wait_for_the_end();
    }

    /// Closes it as the system does, and waits until the process has ended.
    pub fn close(self) {
        self.end_program();
    }

    /// Ends the program, and leaves its page standing where that is possible.
    pub fn end_program(&self) {
        send("TERM", &self.program.to_string());
        self.wait_for_the_end();
    }

    /// The process of the program.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.program
    }

    /// The processes of the program and of the web view that it has started.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.program];
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
        is_alive(self.program)
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
