//! An OpenAI-compatible endpoint that plays a script and keeps what it was asked.
