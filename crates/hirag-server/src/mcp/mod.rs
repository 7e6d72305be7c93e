//! The memory for agents: tools, resources and prompts of the Model Context Protocol, over standard
//! input and output or over HTTP.
//!
//! What a tool does stands in the command bodies. Here is only what a model needs beside: schemas,
//! short answers inside a budget, and marks around what comes from the memory.

mod answers;
mod arguments;
mod budget;
pub mod clients;
mod completion;
mod door;
mod handler;
mod marking;
mod prompts;
mod resources;
mod schema;
mod sessions;
mod stdio;
mod streamable;
mod tools;

#[cfg(test)]
mod tests;

pub use self::stdio::serve;
pub use self::streamable::router;
