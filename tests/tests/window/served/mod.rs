//! What only a page in a browser has: a server that can go away, and ways around the shell.

mod leaving;
mod paths;
