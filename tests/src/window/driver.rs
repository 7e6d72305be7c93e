use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

use super::desk::{Desk, studio_program};
use super::process::{Running, children};
use super::{PATIENCE, until};

/// The name that WebDriver gives to what stands for an element.
pub(super) const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of WebDriver with one page.
#[derive(Debug)]
pub(super) struct Driver {
    process: Running,
    agent: Agent,
    root: String,
    /// What a browser keeps; it goes with the session.
    _profile: Option<TempDir>,
}

impl Driver {
    /// Starts the program under a driver, and shows its window.
    pub(super) fn window(desk: &Desk) -> Self {
        let options = json!({"binary": studio_program(), "args": desk.arguments()});
        let wanted = json!({"webkitgtk:browserOptions": options});
        Self::start(desk, "WebKitWebDriver", None, wanted)
    }

    /// Starts a browser at a link.
    pub(super) fn browser(desk: &Desk, link: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            // The tests may run as root, where there is none.
            "--no-sandbox".to_owned(),
            "--disable-background-networking".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let options = json!({"binary": chromium(), "args": arguments});
        let wanted = json!({"goog:chromeOptions": options});
        let driver = Self::start(desk, "chromedriver", Some(profile), wanted);
        driver
            .ask("POST", "/url", Some(json!({"url": link})))
            .unwrap();
        driver
    }

    fn start(desk: &Desk, name: &str, profile: Option<TempDir>, mut wanted: Json) -> Self {
        let port = free_port();
        let mut command = Command::new(name);
        desk.sit(&mut command);
        command
            .arg(format!("--port={port}"))
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdout(desk.home.output())
            .stderr(desk.home.output());
        let process = Running::start(&mut command);
        let agent = Agent::config_builder()
            // The driver is on this machine.
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE * 2))
            .build()
            .into();
        let mut driver = Self {
            process,
            agent,
            root: format!("http://127.0.0.1:{port}"),
            _profile: profile,
        };
        until(&format!("{name} answers"), || {
            let status = driver.ask("GET", "/status", None).ok()?;
            status["ready"].as_bool().filter(|ready| *ready)
        });
        wanted["timeouts"] = json!({"script": PATIENCE.as_millis() as u64});
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let session = driver.ask("POST", "/session", Some(wanted)).unwrap();
        let session = session["sessionId"].as_str().unwrap();
        driver.root = format!("{}/session/{session}", driver.root);
        driver
    }

    /// The first process that the driver has started: the program, where it shows its window.
    pub(super) fn started(&self) -> u32 {
        let all = children(self.process.pid());
        all.first().copied().expect("the driver has no window")
    }

    /// Runs a script in the page; what it calls its last argument with comes back.
    pub(super) fn run(&self, script: &str, arguments: &[Json]) -> Result<Json, String> {
        let body = json!({"script": script, "args": arguments});
        self.ask("POST", "/execute/async", Some(body))
    }

    /// Asks for something of the session.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<Json>) -> Result<Json, String> {
        let address = format!("{}{path}", self.root);
        let request = Request::builder().method(method).uri(address);
        let answer = match body {
            Some(body) => self.agent.run(request.body(body.to_string()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let good = answer.status().is_success();
        let body: Json = answer
            .body_mut()
            .read_json()
            .map_err(|error| error.to_string())?;
        match good {
            true => Ok(body["value"].clone()),
            false => Err(format!(
                "{}: {}",
                body["value"]["error"], body["value"]["message"]
            )),
        }
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Debian names it so, others add to its name.
fn chromium() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}
