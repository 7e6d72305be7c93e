use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// A process with a group of its own, which ends with this value.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let started = command.process_group(0).spawn();
        let child = started.unwrap_or_else(|error| {
            let name = command.get_program().to_string_lossy().into_owned();
            panic!("{name} does not start ({error}): `make setup` installs it")
        });
        Self(child)
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // With all that it started itself.
        send("KILL", &format!("-{}", self.0.id()));
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process, or to a group with a `-` before its number.
pub(super) fn send(signal: &str, to: &str) {
    let _ = Command::new("kill")
        .args(["-s", signal, "--", to])
        .stderr(Stdio::null())
        .status();
}

/// Whether the process is there and does not only wait to be collected. Its first thread may do that while
/// others still hold the database and the name on the bus.
pub(super) fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat.rsplit(") ").next();
    let state = state.and_then(|rest| rest.chars().next());
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let others = threads.is_ok_and(|threads| threads.count() > 1);
    !matches!(state, None | Some('Z' | 'X')) || others
}

/// The processes that `pid` started itself.
pub(super) fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let listed = tasks.filter_map(|task| {
        let path = task.ok()?.path().join("children");
        std::fs::read_to_string(path).ok()
    });
    let numbers = |list: String| {
        let parsed = list.split_whitespace().map(str::parse);
        parsed.filter_map(Result::ok).collect::<Vec<u32>>()
    };
    listed.flat_map(numbers).collect()
}
