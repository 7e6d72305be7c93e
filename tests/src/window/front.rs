/// Where the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// In the program's own window.
    Window,
    /// In a browser, which `hirag serve` serves.
    Browser,
}

impl Front {
    /// The one that `HIRAG_FRONT` names, the window by default.
    pub(super) fn chosen() -> Self {
        match std::env::var("HIRAG_FRONT").as_deref() {
            Err(_) | Ok("" | "window") => Self::Window,
            Ok("browser") => Self::Browser,
            Ok(other) => panic!("HIRAG_FRONT is {other:?}; it must be window or browser"),
        }
    }
}
