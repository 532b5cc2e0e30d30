//! What the process holds of memory: the allocator's own count, and the most that was resident since it was reset.
//!
//! A counting allocator would be exact, but every contender would pay for it in every other workload.

/// Bytes that are allocated, by the allocator's own count; `None` if it has none.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn live() -> Option<u64> {
    // SAFETY: it takes no argument and only reads the allocator's own counters, under its locks.
    let info = unsafe { libc::mallinfo2() };
    Some((info.uordblks + info.hblkhd) as u64)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn live() -> Option<u64> {
    None
}

/// Returns free pages to the system, so that using them again is measured.
fn trim() {
    // SAFETY: it only returns unused memory to the system.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The maximum of resident memory since it was created, above what was resident then.
pub(crate) struct Peak {
    start: u64,
}

impl Peak {
    /// `None` if the system does not let a process reset its own maximum.
    pub(crate) fn start() -> Option<Self> {
        trim();
        std::fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Peak { start: status("VmRSS:")? })
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        Some(status("VmHWM:")?.saturating_sub(self.start))
    }
}

fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(1_024 * kilobytes)
}
