//! Time stamps: 100 ns units since 1601-01-01 00:00 UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A Windows FILETIME: 100 ns units since 1601-01-01 00:00 UTC.
///
/// ```
/// use hivesmith::FileTime;
/// use std::time::UNIX_EPOCH;
/// assert_eq!(FileTime::from(UNIX_EPOCH), FileTime(116_444_736_000_000_000));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

/// From 1601-01-01 to 1970-01-01, in 100 ns units.
const UNIX_EPOCH_TICKS: u64 = 116_444_736_000_000_000;

impl FileTime {
    /// The host's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for FileTime {
    /// Times before 1601 become 0 and times that do not fit become the largest one.
    fn from(time: SystemTime) -> Self {
        let ticks = |duration: Duration| u64::try_from(duration.as_nanos() / 100).unwrap_or(u64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(UNIX_EPOCH_TICKS.saturating_add(ticks(after))),
            Err(before) => Self(UNIX_EPOCH_TICKS.saturating_sub(ticks(before.duration()))),
        }
    }
}
