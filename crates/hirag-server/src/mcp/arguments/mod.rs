//! What tools take. The limits stand once: schemas say them to models, and [`Checked::check`] holds
//! to them.

mod asking;
mod changing;
mod limits;
mod looking;
mod sources;
mod whose;
mod words;

pub(super) use self::asking::Ask;
pub(super) use self::changing::{Delete, Store, Update};
pub(super) use self::limits::{Checked, MOST_TOKENS, read};
pub(super) use self::looking::{Explain, Fetch, Get, List, PlainSearch, Search};
pub(super) use self::sources::{SourceRun, Sources};
pub(super) use self::words::{Level, Mode, Order, filter};
