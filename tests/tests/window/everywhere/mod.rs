//! What is the same in the window and in a browser.

mod asking;
mod changing;
mod drill;
mod first_run;
mod hostile_text;
mod importing;
mod many;
mod secrets;
