//! What this process takes of the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::MetricsSettings;
use crate::clock::SharedClock;
use crate::config::ConfigError;

/// The memory of this process at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProcessResources {
    /// When.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// Bytes in the machine's memory (RSS).
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub resident_bytes: u64,
    /// The most of them that was ever seen here.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub peak_resident_bytes: u64,
    /// Bytes of address space.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub virtual_bytes: u64,
    /// Bytes of memory that the machine has.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub machine_bytes: u64,
    /// The share of the machine's memory that is resident, 0 to 1.
    pub share: f64,
    /// Whether the resident memory is over `metrics.memory_warning_mb`.
    pub over_warning: bool,
}

/// Looks at this process, and warns when its memory grows over the setting.
#[derive(Debug)]
pub struct ResourceMonitor {
    clock: SharedClock,
    settings: RwLock<MetricsSettings>,
    /// `None` on systems that cannot be asked.
    system: Mutex<Option<System>>,
    peak: AtomicU64,
    warned: AtomicBool,
}

impl ResourceMonitor {
    /// A monitor of this process.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range.
    pub fn new(settings: MetricsSettings, clock: SharedClock) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self {
            clock,
            settings: RwLock::new(settings),
            system: Mutex::new(System::new().ok()),
            peak: AtomicU64::new(0),
            warned: AtomicBool::new(false),
        })
    }

    /// Goes on with other settings.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range; the old ones stay in force.
    pub fn update(&self, settings: MetricsSettings) -> Result<(), ConfigError> {
        settings.validate()?;
        *self.settings.write() = settings;
        Ok(())
    }

    /// The memory now, `None` where the system does not tell. Logs a warning when it has grown
    /// over the setting since the look before.
    pub fn sample(&self) -> Option<ProcessResources> {
        let (resident, virtual_bytes, machine) = {
            let pid = Pid::from_u32(std::process::id());
            let mut system = self.system.lock();
            let system = system.as_mut()?;
            system.refresh_memory();
            system.refresh_processes_specifics(
                ProcessesToUpdate::Some(&[pid]),
                true,
                ProcessRefreshKind::nothing().with_memory().without_tasks(),
            );
            let process = system.process(pid)?;
            (
                process.memory(),
                process.virtual_memory(),
                system.total_memory(),
            )
        };
        Some(self.judge(resident, virtual_bytes, machine))
    }

    fn judge(&self, resident: u64, virtual_bytes: u64, machine: u64) -> ProcessResources {
        let warning_mb = self.settings.read().memory_warning_mb;
        let over_warning = warning_mb > 0 && resident > warning_mb.saturating_mul(1 << 20);
        if over_warning && !self.warned.swap(true, Ordering::Relaxed) {
            let resident_mb = resident >> 20;
            tracing::warn!(resident_mb, warning_mb, "this process takes much memory");
        }
        if !over_warning {
            self.warned.store(false, Ordering::Relaxed);
        }
        let before = self.peak.fetch_max(resident, Ordering::Relaxed);
        ProcessResources {
            at: self.clock.now(),
            resident_bytes: resident,
            peak_resident_bytes: before.max(resident),
            virtual_bytes,
            machine_bytes: machine,
            share: if machine == 0 {
                0.0
            } else {
                resident as f64 / machine as f64
            },
            over_warning,
        }
    }

    /// Looks every `metrics.watch_interval`, for ever; stop it by dropping its task.
    pub async fn watch(self: Arc<Self>) {
        loop {
            self.sample();
            let pause = self.settings.read().watch_interval.duration();
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::FakeClock;

    const MB: u64 = 1 << 20;

    fn monitor(memory_warning_mb: u64) -> ResourceMonitor {
        let settings = MetricsSettings {
            memory_warning_mb,
            ..MetricsSettings::default()
        };
        ResourceMonitor::new(settings, FakeClock::at(Timestamp::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn this_process_is_seen() {
        let seen = monitor(1_024).sample().unwrap();
        assert!(seen.resident_bytes > MB, "{seen:?}");
        assert!(seen.virtual_bytes >= seen.resident_bytes, "{seen:?}");
        assert!(seen.machine_bytes > seen.resident_bytes, "{seen:?}");
        assert!(seen.share > 0.0 && seen.share < 1.0, "{seen:?}");
    }

    #[test]
    fn it_warns_over_the_threshold_and_again_after_it_has_fallen() {
        let monitor = monitor(10);
        let warned = |resident| {
            let over = monitor.judge(resident, 0, 100 * MB).over_warning;
            assert_eq!(over, monitor.warned.load(Ordering::Relaxed));
            over
        };
        assert!(!warned(10 * MB));
        assert!(warned(10 * MB + 1));
        assert!(!warned(9 * MB));
        let seen = monitor.judge(5 * MB, 0, 100 * MB);
        assert_eq!((seen.share, seen.peak_resident_bytes), (0.05, 10 * MB + 1));
    }

    #[test]
    fn a_threshold_of_zero_never_warns() {
        assert!(!monitor(0).judge(u64::MAX, 0, 0).over_warning);
    }

    #[tokio::test(start_paused = true)]
    async fn watching_looks_at_once_and_then_every_interval() {
        let monitor = Arc::new(monitor(0));
        let watching = tokio::spawn(Arc::clone(&monitor).watch());
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(monitor.peak.swap(0, Ordering::Relaxed) > 0);
            tokio::time::sleep(Duration::from_secs(298)).await;
            assert_eq!(monitor.peak.load(Ordering::Relaxed), 0);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        watching.abort();
    }
}
