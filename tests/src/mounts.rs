//! Small and read-only disks: file systems that only one process sees, and that go with it.

#![allow(clippy::print_stdout, reason = "a test says what it leaves out")]

use std::path::Path;
use std::process::Command;

/// Set in the process that has mounts of its own.
const OWN_MOUNTS: &str = "HIRAG_TESTS_OWN_MOUNTS";

/// Whether the test goes on in this process: in one with mounts of its own, which go with it.
/// Otherwise the test is run in such a process, or left out where the system allows none.
#[must_use]
pub fn in_own_mounts(test: &str) -> bool {
    if std::env::var_os(OWN_MOUNTS).is_some() {
        return true;
    }
    let trial = "mount -t tmpfs -o size=1m none /tmp";
    let mut probe = Command::new("unshare");
    probe.args(["--mount", "--map-root-user", "sh", "-c", trial]);
    match probe.output() {
        Ok(output) if output.status.success() => {}
        other => {
            println!("left out: no mounts without the system's leave: {other:?}");
            return false;
        }
    }
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user"])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(OWN_MOUNTS, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

/// Mounts, in a process with mounts of its own.
pub fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Takes a mounted file system away again.
pub fn unmount(folder: &Path) {
    let output = Command::new("umount").arg(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
