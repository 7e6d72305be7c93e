//! What draws the page.

#[cfg(target_os = "linux")]
use std::ffi::OsString;

/// Lets the processor draw where there is no graphics card: the web view would emulate one, which
/// takes it a second before the first picture.
///
/// To be called before there is a second thread.
#[cfg(target_os = "linux")]
pub(crate) fn choose() {
    const CHOICE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(CHOICE).is_some() || has_card() {
        return;
    }
    #[expect(
        unsafe_code,
        clippy::disallowed_methods,
        reason = "the web view takes this from the environment alone"
    )]
    // SAFETY: nothing reads the environment meanwhile, as there is no other thread.
    unsafe {
        std::env::set_var(CHOICE, "1");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn choose() {}

#[cfg(target_os = "linux")]
fn has_card() -> bool {
    let is_card = |name: OsString| name.as_encoded_bytes().starts_with(b"renderD");
    std::fs::read_dir("/dev/dri").is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| is_card(entry.file_name())))
    })
}
