//! A run: the clients, the time, and what came of it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use hirag::clock::SharedClock;
use jiff::Timestamp;
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::client::{Client, Dial, Network};
use super::pace::Schedule;
use super::report::{ErrorKind, OpenLoop};
use super::requests::{Requests, session};
use super::tally::{Sums, Tally, per_second};
use super::{LoadError, LoadPlan, LoadReport, Operation, Share, Target, mix};

/// Connections that are opened at once: a crowd that comes all at once is no part of what is
/// measured, and would fill the system's own queue.
const DOOR: usize = 64;
/// How long a client of a closed loop waits that found no connection: where nobody listens, it is
/// told so at once, and asking again at once would only heat the machine.
const PAUSE: Duration = Duration::from_millis(100);
/// Time between two words on how far it has come.
const PROGRESS_STEP: Duration = Duration::from_millis(250);

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadProgress {
    /// Since the warm-up began.
    pub elapsed: Duration,
    /// Warm-up and measured time together.
    pub total: Duration,
    /// Whether requests are not counted yet.
    pub warming_up: bool,
    /// Requests that succeeded.
    pub succeeded: u64,
    /// Requests that failed; 429 is not among them.
    pub failed: u64,
    /// Requests that the limiter put off.
    pub limited: u64,
    /// Answers with success a second, over the measured time.
    pub per_s: f64,
}

/// Puts the load on. It ends when its time is up and all that was begun has ended, or at once, with
/// what was measured so far, when `stop` does.
///
/// # Errors
/// As [`LoadPlan::validate`]; before anything is measured, [`LoadError::Unreachable`],
/// [`LoadError::WrongToken`], [`LoadError::NoToken`] and [`LoadError::NotOurs`].
pub async fn run(
    plan: &LoadPlan,
    target: &Target,
    clock: &SharedClock,
    stop: impl Future<Output = ()>,
    progress: impl Fn(LoadProgress),
) -> Result<LoadReport, LoadError> {
    plan.validate()?;
    let dial = Arc::new(Network::new(target)?);
    run_over(dial, plan, target, clock.now(), stop, progress).await
}

/// A run over connections of any kind.
pub(super) async fn run_over(
    dial: Arc<dyn Dial>,
    plan: &LoadPlan,
    target: &Target,
    started: Timestamp,
    stop: impl Future<Output = ()>,
    progress: impl Fn(LoadProgress),
) -> Result<LoadReport, LoadError> {
    let seed = plan.seed.unwrap_or_else(rand::random);
    let mut stop = pin!(stop);
    let requests = Requests::new(target, plan.queries, seed, started)?;
    let new = || Client::new(Arc::clone(&dial), plan.time_out());
    let ready = async {
        knock(new(), &requests, target).await?;
        let clients = (0..plan.concurrency).map(|_| connected(new()));
        Ok(stream::iter(clients).buffer_unordered(DOOR).collect().await)
    };
    let clients: Result<Vec<Client>, LoadError> = tokio::select! {
        ready = ready => ready,
        () = &mut stop => Ok(Vec::new()),
    };
    let clients = clients?;

    let stopped_early = clients.is_empty();
    let processor = processor_time();
    let start = Instant::now();
    let schedule = Schedule::new(plan, start);
    let shared = Arc::new(Shared {
        mix: plan.mix.clone(),
        requests,
        tally: Mutex::new(Tally::new(&schedule)?),
        schedule,
    });
    let mut crowd = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        let rng = SmallRng::seed_from_u64((u64::from(seed) << 32) | number as u64);
        crowd.spawn(visit(client, rng, plan.rate.is_some(), Arc::clone(&shared)));
    }
    let mut ticks = interval(PROGRESS_STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = stopped_early
        || loop {
            tokio::select! {
                () = &mut stop => break true,
                ended = crowd.join_next() => match ended {
                    None => break false,
                    Some(ended) => ended.map_err(|e| LoadError::Internal(hirag::tasks::broken_off(&e)))?,
                },
                _ = ticks.tick() => progress(shared.progress(start)),
            }
        };
    crowd.shutdown().await;
    let end = match stopped {
        true => Instant::now(),
        // An open loop may have nothing more to do before its time is up.
        false => Instant::now().max(shared.schedule.until),
    };
    progress(shared.progress(start));
    let processor = processor_time().zip(processor).map(|(after, before)| {
        let spent = Duration::from_millis(after.saturating_sub(before));
        spent.as_secs_f64()
    });
    let report = shared.report(plan, target, seed, started, stopped, end)?;
    Ok(LoadReport {
        processor_s: processor,
        ..report
    })
}

/// What all clients of a run share.
struct Shared {
    mix: Vec<Share>,
    requests: Requests,
    schedule: Schedule,
    tally: Mutex<Tally>,
}

/// Asks whether the server is there and lets these clients in, before any load is put on it.
async fn knock(mut client: Client, requests: &Requests, target: &Target) -> Result<(), LoadError> {
    let url = || target.url().to_owned();
    let unreachable = |reason| LoadError::Unreachable { url: url(), reason };
    let connected = client.connect().await;
    connected.map_err(|failure| unreachable(failure.reason))?;
    let request = requests.make(Operation::Health, &mut SmallRng::seed_from_u64(0));
    let Some(failure) = client.send(request).await.failure else {
        return Ok(());
    };
    match (failure.kind, failure.status) {
        (ErrorKind::Limited, _) => Ok(()),
        (_, Some(status @ (401 | 403))) => Err(match target.token() {
            Some(_) => LoadError::WrongToken { url: url(), status },
            None => LoadError::NoToken { url: url(), status },
        }),
        // A server that is not well may be measured all the same.
        (_, Some(503)) => Ok(()),
        (_, Some(status)) => Err(LoadError::NotOurs { url: url(), status }),
        _ => Err(unreachable(failure.reason)),
    }
}

/// With its connection, if there is one to be had; otherwise its first request tells.
async fn connected(mut client: Client) -> Client {
    let _ = client.connect().await;
    client
}

/// One client asks until the time is up.
async fn visit(mut client: Client, mut rng: SmallRng, open_loop: bool, shared: Arc<Shared>) {
    while let Some(turn) = shared.schedule.next().await {
        let operation = mix::choose(&shared.mix, &mut rng);
        let request = shared.requests.make(operation, &mut rng);
        shared.tally.lock().begin(operation, &turn);
        let outcome = client.send(request).await;
        let failure = outcome.failure.as_ref();
        let alone = failure.is_some_and(|failure| failure.kind == ErrorKind::Connect);
        let now = Instant::now();
        shared.tally.lock().end(operation, &turn, now, outcome);
        if alone && !open_loop {
            sleep(PAUSE).await;
        }
    }
}

impl Shared {
    fn progress(&self, start: Instant) -> LoadProgress {
        let now = Instant::now();
        let sums = self.tally.lock().sums();
        let schedule = &self.schedule;
        let measured = now.min(schedule.until).duration_since(schedule.from);
        LoadProgress {
            elapsed: now.min(schedule.until).duration_since(start),
            total: schedule.until.duration_since(start),
            warming_up: now < schedule.from,
            succeeded: sums.succeeded,
            failed: failed(sums),
            limited: sums.limited,
            per_s: per_second(sums.done_in_time, measured),
        }
    }

    fn report(
        &self,
        plan: &LoadPlan,
        target: &Target,
        seed: u32,
        started: Timestamp,
        stopped: bool,
        end: Instant,
    ) -> Result<LoadReport, LoadError> {
        let mut tally = self.tally.lock();
        let sums = tally.sums();
        let schedule = &self.schedule;
        let measured = end.min(schedule.until).duration_since(schedule.from);
        let (latency, distribution) = tally.all()?;
        let judged = sums.ended - sums.limited;
        let open_loop = schedule.due_by(end).map(|due| OpenLoop {
            due,
            not_started: due.saturating_sub(sums.begun),
            delay: tally.delay(),
        });
        let operations = self.mix.iter().map(|share| share.operation);
        let operations: Vec<_> = operations
            .map(|operation| tally.operation(operation, measured))
            .collect();
        let stores = operations
            .iter()
            .any(|one| one.operation == Operation::Store);
        Ok(LoadReport {
            url: target.url().to_owned(),
            plan: LoadPlan {
                seed: Some(seed),
                ..plan.clone()
            },
            started,
            stopped,
            measured_s: measured.as_secs_f64(),
            requests: sums.begun,
            succeeded: sums.succeeded,
            limited: sums.limited,
            failed: failed(sums),
            unfinished: sums.begun - sums.ended,
            success_rate: (judged > 0).then(|| sums.succeeded as f64 / judged as f64),
            per_s: per_second(sums.done_in_time, measured),
            received_bytes: sums.bytes,
            errors: tally.errors(),
            latency,
            distribution,
            operations,
            open_loop,
            seconds: tally.seconds(end),
            stored_session: stores.then(|| session(seed)),
            processor_s: None,
        })
    }
}

fn failed(sums: Sums) -> u64 {
    sums.ended - sums.succeeded - sums.limited
}

/// Milliseconds of processor time that this process has taken, where the system tells.
fn processor_time() -> Option<u64> {
    let pid = Pid::from_u32(std::process::id());
    let mut system = System::new().ok()?;
    let which = ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(which, false, ProcessRefreshKind::nothing().with_cpu());
    system
        .process(pid)
        .map(sysinfo::Process::accumulated_cpu_time)
}
