//! The three levels: the working set of L1, and the rules by which contexts move and expire.

mod fate;
mod rules;
mod working_set;

pub use fate::{Fate, fates};
pub(crate) use rules::before;
pub use rules::{clean_up_rules, expiry};
pub use working_set::WorkingSet;
