//! Load on a server: many clients at once, and what they got.
//!
//! A closed loop is a crowd of clients who each ask again when they were answered: it finds what
//! the server can do. An open loop asks at a constant rate, whether the server keeps up or not, and
//! counts every latency from the moment when the request was due: it finds what people wait for
//! (after Gil Tene, who calls the omission of that waiting *coordinated*).
//!
//! A run is a [`LoadPlan`] against a [`Target`]; what comes of it is a [`LoadReport`].

mod client;
mod course;
mod error;
mod mix;
mod pace;
mod page;
mod plan;
mod report;
mod requests;
mod run;
mod tally;
mod target;
mod words;

#[cfg(test)]
mod tests;

pub use error::LoadError;
pub use mix::{Operation, Share, parse_mix};
pub use page::page;
pub(crate) use page::{percent, plan_told};
pub use plan::{LoadPlan, Queries};
pub use report::{
    ErrorCount, ErrorKind, Latency, LoadReport, OpenLoop, OperationReport, SecondReport,
};
pub use run::{LoadProgress, run};
pub use target::Target;
