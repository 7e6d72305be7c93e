use std::io::Write as _;
use std::process::{Command, Stdio};

use super::bus::Bus;
use super::home::Home;
use super::process::Running;
use super::until;

/// A real keyring, unlocked.
#[derive(Debug)]
pub(super) struct Keyring(#[expect(dead_code, reason = "held until it is to end")] Running);

impl Keyring {
    pub(super) fn start(home: &Home, bus: &Bus) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        home.enter(&mut command);
        command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut daemon = Running::start(&mut command);
        let mut password = daemon.child().stdin.take().unwrap();
        password.write_all(b"password").unwrap();
        drop(password);
        until("the keyring answers", || {
            bus.knows("org.freedesktop.secrets").then_some(())
        });
        Self(daemon)
    }
}
