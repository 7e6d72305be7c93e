//! What a program hears when its terminal goes.

use tokio::signal::unix::Signal;

/// Listens for SIGHUP. Nothing where whoever began the program had it ignored, as `nohup` does: a
/// listener would take that away. Nothing, too, where it cannot be known or heard.
#[must_use]
pub fn listen() -> Option<Signal> {
    use tokio::signal::unix::{SignalKind, signal};

    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    if is_ignored(&status)? {
        return None;
    }
    signal(SignalKind::hangup()).ok()
}

/// Waits for a signal; for ever where there is nothing that listens.
pub async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether what Linux says of a process has the first signal, which is SIGHUP, among the ignored.
fn is_ignored(status: &str) -> Option<bool> {
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let signals = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(signals & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::is_ignored;

    #[test]
    fn the_first_signal_is_looked_for() {
        let status = |signals| format!("Name:\thirag\nSigBlk:\t0\nSigIgn:\t{signals}\n");
        assert_eq!(is_ignored(&status("0000000000001000")), Some(false));
        assert_eq!(is_ignored(&status("0000000000001001")), Some(true));
        assert_eq!(is_ignored("Name:\thirag\n"), None);
    }
}
