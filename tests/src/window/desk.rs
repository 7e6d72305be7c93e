use std::path::PathBuf;
use std::process::{Command, Stdio};

use parking_lot::{Mutex, MutexGuard};

use super::bus::Bus;
use super::display::Display;
use super::home::Home;
use super::keyring::Keyring;
use super::process::Running;
use super::studio::Studio;

/// One at a time: a window with its web view keeps two cores busy.
static TURN: Mutex<()> = Mutex::new(());

/// What a window needs around it.
#[derive(Debug)]
pub struct Desk {
    _keyring: Option<Keyring>,
    bus: Bus,
    display: Display,
    /// Its home folder.
    pub home: Home,
    _turn: MutexGuard<'static, ()>,
}

impl Desk {
    /// A desk without a keyring.
    #[must_use]
    pub fn new() -> Self {
        let turn = TURN.lock();
        let home = Home::new();
        Self {
            _keyring: None,
            bus: Bus::start(home.path()),
            display: Display::start(),
            home,
            _turn: turn,
        }
    }

    /// A desk with a real keyring, unlocked.
    #[must_use]
    pub fn with_keyring() -> Self {
        let desk = Self::new();
        Self {
            _keyring: Some(Keyring::start(&desk.home, &desk.bus)),
            ..desk
        }
    }

    /// Opens the window, or the page in a browser, and waits until it shows something.
    #[must_use]
    pub fn open(&self) -> Studio {
        Studio::open(self)
    }

    /// Starts the program by hand, as a person does who has not seen that it is open.
    #[must_use]
    pub fn start_again(&self) -> Running {
        let mut command = Command::new(studio_program());
        self.sit(&mut command);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Running::start(command.args(self.arguments()))
    }

    /// What the program is started with.
    pub(super) fn arguments(&self) -> [String; 4] {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        [
            "--config".to_owned(),
            text(self.home.config_file()),
            "--data-dir".to_owned(),
            text(self.home.data_dir()),
        ]
    }

    /// Lets a program use this desk.
    pub(super) fn sit(&self, command: &mut Command) {
        self.home.enter(command);
        command
            .env("DISPLAY", &self.display.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus.address);
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// The program with the window.
pub(super) fn studio_program() -> PathBuf {
    program("hirag-studio", "HIRAG_STUDIO", "make check-window")
}

/// The program that serves.
pub(super) fn server_program() -> PathBuf {
    program("hirag", "HIRAG_PROGRAM", "make check-browser")
}

/// The program that a variable names, or the one beside which this one was built.
fn program(name: &str, variable: &str, makes: &str) -> PathBuf {
    if let Some(named) = std::env::var_os(variable) {
        return std::path::absolute(named).unwrap();
    }
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().find(|folder| folder.join(name).is_file());
    let folder = folder.unwrap_or_else(|| panic!("`{name}` is not built: run `{makes}`"));
    folder.join(name)
}
