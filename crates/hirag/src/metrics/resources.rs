//! What this process takes of the machine.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::sync::broadcast;

use super::MetricsSettings;
use crate::clock::SharedClock;
use crate::config::ConfigError;

/// The share of the limit from which memory is short.
const SHORT: f64 = 0.8;
/// How old a reading may be for who needs to know about how much it is. Reading takes some ten
/// microseconds, which are nothing ten times a second and much before every search.
const FRESH: Duration = Duration::from_millis(100);
/// Warnings that a slow receiver may fall behind before it misses some.
const BACKLOG: usize = 16;

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
    /// Whether it is at 80 % of `metrics.memory_limit_mb`, or over.
    pub near_limit: bool,
}

/// That the process has come near the limit of its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct MemoryStrain {
    /// When.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// Bytes in the machine's memory then.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub resident_bytes: u64,
    /// The limit, in bytes.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limit_bytes: u64,
    /// Entries that the caches in memory have dropped for it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub dropped: u64,
}

/// What the system tells of this process, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReading {
    /// In the machine's memory.
    pub resident: u64,
    /// Of address space.
    pub virtual_memory: u64,
    /// Of the machine.
    pub machine: u64,
}

type Read = dyn Fn() -> Option<MemoryReading> + Send + Sync;

/// Reads the memory of this process; a handle that is cheap to clone, all clones being one.
#[derive(Clone)]
pub struct MemoryGauge {
    clock: SharedClock,
    read: Arc<Read>,
    /// The last reading of the resident bytes, and when.
    last: Arc<Mutex<Option<(Duration, u64)>>>,
}

impl fmt::Debug for MemoryGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGauge")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl MemoryGauge {
    /// What the system says of this process.
    #[must_use]
    pub fn of_this_process(clock: SharedClock) -> Self {
        // `None` on systems that cannot be asked.
        let system = Mutex::new(System::new().ok());
        Self::of(clock, move || {
            let pid = Pid::from_u32(std::process::id());
            let mut system = system.lock();
            let system = system.as_mut()?;
            system.refresh_memory();
            system.refresh_processes_specifics(
                ProcessesToUpdate::Some(&[pid]),
                true,
                ProcessRefreshKind::nothing().with_memory().without_tasks(),
            );
            let process = system.process(pid)?;
            Some(MemoryReading {
                resident: process.memory(),
                virtual_memory: process.virtual_memory(),
                machine: system.total_memory(),
            })
        })
    }

    /// What `read` says.
    pub fn of(
        clock: SharedClock,
        read: impl Fn() -> Option<MemoryReading> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock,
            read: Arc::new(read),
            last: Arc::default(),
        }
    }

    /// The memory now.
    #[must_use]
    pub fn read(&self) -> Option<MemoryReading> {
        let reading = (self.read)()?;
        *self.last.lock() = Some((self.clock.elapsed(), reading.resident));
        Some(reading)
    }

    /// The resident bytes a tenth of a second ago at most.
    #[must_use]
    pub fn recent(&self) -> Option<u64> {
        let now = self.clock.elapsed();
        match *self.last.lock() {
            Some((at, resident)) if now.saturating_sub(at) < FRESH => return Some(resident),
            _ => {}
        }
        self.read().map(|reading| reading.resident)
    }
}

/// Looks at this process, and warns when its memory grows over the setting.
#[derive(Debug)]
pub struct ResourceMonitor {
    clock: SharedClock,
    settings: RwLock<MetricsSettings>,
    gauge: MemoryGauge,
    peak: AtomicU64,
    warned: AtomicBool,
    /// Whether memory was short at the last look.
    short: AtomicBool,
    strains: broadcast::Sender<MemoryStrain>,
}

impl ResourceMonitor {
    /// A monitor of this process.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range.
    pub fn new(settings: MetricsSettings, clock: SharedClock) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self {
            gauge: MemoryGauge::of_this_process(clock.clone()),
            clock,
            settings: RwLock::new(settings),
            peak: AtomicU64::new(0),
            warned: AtomicBool::new(false),
            short: AtomicBool::new(false),
            strains: broadcast::Sender::new(BACKLOG),
        })
    }

    /// What it reads.
    #[must_use]
    pub fn gauge(&self) -> &MemoryGauge {
        &self.gauge
    }

    /// What [`Self::strained`] tells from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<MemoryStrain> {
        self.strains.subscribe()
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
        let reading = self.gauge.read()?;
        Some(self.judge(reading.resident, reading.virtual_memory, reading.machine))
    }

    /// Tells those who listen that memory is short, and that this many entries were dropped from the
    /// caches for it: once, until there was enough in between.
    pub fn strained(&self, seen: &ProcessResources, dropped: u64) {
        if !seen.near_limit {
            self.short.store(false, Ordering::Relaxed);
            return;
        }
        if self.short.swap(true, Ordering::Relaxed) {
            return;
        }
        let strain = MemoryStrain {
            at: seen.at,
            resident_bytes: seen.resident_bytes,
            limit_bytes: self.settings.read().memory_limit_mb.saturating_mul(1 << 20),
            dropped,
        };
        tracing::warn!(
            resident_mb = strain.resident_bytes >> 20,
            limit_mb = strain.limit_bytes >> 20,
            dropped,
            "memory is short"
        );
        // Where nobody listens, the log has it.
        let _ = self.strains.send(strain);
    }

    fn judge(&self, resident: u64, virtual_bytes: u64, machine: u64) -> ProcessResources {
        let (warning_mb, limit_mb) = {
            let settings = self.settings.read();
            (settings.memory_warning_mb, settings.memory_limit_mb)
        };
        let limit = limit_mb.saturating_mul(1 << 20) as f64;
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
            near_limit: limit_mb > 0 && resident as f64 >= limit * SHORT,
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

    #[test]
    fn memory_is_short_from_four_fifths_of_the_limit_and_that_is_told_once_until_it_is_not() {
        let settings = MetricsSettings {
            memory_limit_mb: 100,
            ..MetricsSettings::default()
        };
        let monitor = ResourceMonitor::new(settings, FakeClock::at(Timestamp::UNIX_EPOCH)).unwrap();
        let mut told = monitor.subscribe();
        let look = |resident| {
            let seen = monitor.judge(resident, 0, 0);
            monitor.strained(&seen, 7);
            seen.near_limit
        };
        let looks = [80 * MB - 1, 80 * MB, 90 * MB, 70 * MB, 85 * MB].map(look);
        assert_eq!(looks, [false, true, true, false, true]);
        let first = told.try_recv().unwrap();
        assert_eq!(
            (first.resident_bytes, first.limit_bytes),
            (80 * MB, 100 * MB)
        );
        assert_eq!(first.dropped, 7);
        assert_eq!(told.try_recv().unwrap().resident_bytes, 85 * MB);
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_recent_reading_is_made_ten_times_a_second_at_most() {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let readings = AtomicU64::new(0);
        let gauge = MemoryGauge::of(clock.clone(), move || {
            let resident = readings.fetch_add(1, Ordering::Relaxed);
            Some(MemoryReading {
                resident,
                ..MemoryReading::default()
            })
        });
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(gauge.recent().unwrap());
            clock.advance(Duration::from_millis(60));
        }
        assert_eq!(seen, [0, 0, 1, 1, 2]);
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
