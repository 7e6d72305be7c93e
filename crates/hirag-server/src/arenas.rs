//! How the threads of the program share the memory that the system gives it.

/// Arenas for all threads together.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: i32 = 2;
/// By this, whoever starts the program says it instead.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SAID: &str = "MALLOC_ARENA_MAX";

/// Has all threads take memory from two arenas. By itself, glibc makes up to eight for each core, and
/// what one has let go stays with it: while an import embeds, they hold 17 MB that nobody uses. An
/// embedding takes no longer for it; its large pieces are kept by the model.
///
/// Comes before the first thread. Elsewhere than with glibc there is nothing to say; whether it was
/// heard.
pub fn share() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os(SAID).is_none() {
        #[allow(unsafe_code, reason = "the standard library does not offer it")]
        // SAFETY: it takes two numbers, and changes nothing but how memory is found from now on.
        let heard = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
        return heard == 1;
    }
    false
}
