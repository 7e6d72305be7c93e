//! What only a window has: it opens whatever the database is like, and there is one of it.

mod accidents;
mod instances;
