//! Endpoints that are spoken to over HTTP: their addresses, one request and its answer, and what can
//! go wrong with it. The parts that ask them say the rest: what is asked, and what it means.

mod address;
mod caller;
mod trouble;

pub(crate) use address::Endpoint;
pub(crate) use caller::{Caller, CallerSettings, message, same_token};
pub(crate) use trouble::Trouble;
