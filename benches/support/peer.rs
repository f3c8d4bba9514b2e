//! hivex beside us: a small C program, compiled here, that does the same work and times itself.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

/// The program in `hivex.c`.
pub(crate) struct Hivex {
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Hivex {
    /// Compiles it; says so where that is not possible here.
    pub(crate) fn new() -> Option<Self> {
        let folder = super::folder();
        let program = folder.path().join("hivex");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/hivex.c");
        let flags = Command::new("pkg-config").args(["--cflags", "--libs", "hivex"]).output();
        let flags = flags.ok().filter(|flags| flags.status.success())?;
        let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
        let built = Command::new(compiler)
            .args(["-O2", "-o"])
            .args([program.as_os_str(), source.as_ref()])
            .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
            .status();
        built.ok().filter(ExitStatus::success).map(|_| Self { program, _folder: folder })
    }

    /// As [`new`](Self::new), with a word on the terminal if there is none.
    pub(crate) fn or_say() -> Option<Self> {
        let peer = Self::new();
        if peer.is_none() {
            eprintln!("SKIPPED: hivex: needs cc, pkg-config and libhivex-dev");
        }
        peer
    }

    /// Does something `times` times; how long that took, by the program's own clock.
    pub(crate) fn time(&self, times: u64, work: &[&str]) -> Duration {
        let output = Command::new(&self.program)
            .arg(times.to_string())
            .args(work)
            .stderr(Stdio::inherit())
            .output()
            .expect("the program was just compiled");
        assert!(output.status.success(), "hivex {work:?}: {}", output.status);
        let seconds = String::from_utf8_lossy(&output.stdout).trim().parse().expect("seconds");
        Duration::from_secs_f64(seconds)
    }
}

/// Length of a file in KiB.
pub(crate) fn kib(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len() / 1024)
}
