use std::path::Path;
use std::process::{Command, Stdio};

use super::display::first_line;
use super::process::Running;

/// Nothing is started by being asked for, so that no test finds a keyring that it did not start.
const SETTINGS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=FOLDER</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A session bus of its own.
#[derive(Debug)]
pub(super) struct Bus {
    _daemon: Running,
    /// As in `$DBUS_SESSION_BUS_ADDRESS`.
    pub(super) address: String,
}

impl Bus {
    pub(super) fn start(folder: &Path) -> Self {
        let settings = folder.join("bus.conf");
        let text = SETTINGS.replace("FOLDER", &folder.to_string_lossy());
        std::fs::write(&settings, text).unwrap();
        let mut daemon = Running::start(
            Command::new("dbus-daemon")
                .args(["--nofork", "--print-address=1", "--config-file"])
                .arg(settings)
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let address = first_line(&mut daemon);
        Self {
            _daemon: daemon,
            address,
        }
    }

    /// Whether somebody has this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        let asked = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.DBus",
                "/",
            ])
            .arg("org.freedesktop.DBus.NameHasOwner")
            .arg(format!("string:{name}"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .output()
            .unwrap();
        String::from_utf8_lossy(&asked.stdout).contains("boolean true")
    }
}
