//! Exit codes, and how errors become them.

use std::{io, path::Path, process::ExitCode};

use hivesmith::{Error, LogState, RequestError};

use super::Writing;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// The answer is "no": faults found, differences found, nothing found.
    No = 1,
    /// The command line or the script was wrong.
    Usage = 2,
    /// Refused to keep data safe.
    Refused = 3,
    /// The disk or the system failed.
    Io = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Lower case, no full stop; may have several lines.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An error of the engine about a file.
    pub(crate) fn of(path: &Path, error: &Error) -> Self {
        let (exit, hint) = match error {
            Error::NeedsRecovery(state) => (Exit::Refused, dirty(path, state.logs)),
            Error::Corrupt(_) => {
                (Exit::Refused, format!("\n  for everything that is wrong with it: hivesmith check {}", path.display()))
            }
            Error::Format(_)
            | Error::Security(_)
            | Error::Request(
                RequestError::Layered
                | RequestError::ReadOnly
                | RequestError::Uncommittable(_)
                | RequestError::HalfDone,
            ) => (Exit::Refused, String::new()),
            Error::Request(_) => (Exit::Usage, String::new()),
            Error::Io(error) => return Self::io(path, error),
            _ => (Exit::Io, String::new()),
        };
        Self::new(exit, format!("{}: {error}{hint}", path.display()))
    }

    /// An error of the host about a file.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::opening(&path.display().to_string(), error)
    }

    /// An error of the host, or of resolving a path beneath a mount, about a file as a command names it.
    pub(crate) fn opening(file: &str, error: &io::Error) -> Self {
        let (exit, hint) = match error.kind() {
            io::ErrorKind::InvalidInput => (Exit::Usage, ""),
            // Ours: the path leads out of the mount; no file system with descriptors, or no file.
            io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported if error.raw_os_error().is_none() => {
                (Exit::Refused, "")
            }
            io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => (Exit::Refused, ""),
            // ERROR_SHARING_VIOLATION
            _ if cfg!(windows) && error.raw_os_error() == Some(32) => (Exit::Refused, ""),
            io::ErrorKind::ReadOnlyFilesystem => (
                Exit::Io,
                "\n  it is mounted read-only: ntfs-3g does that to a volume with a hibernated Windows or an unclean \
                 journal",
            ),
            _ => (Exit::Io, ""),
        };
        Self::new(exit, format!("{file}: {error}{hint}"))
    }

    /// Says it and gives the exit code. A reader that went away (`| head`) is no failure worth words.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            anstream::eprintln!("hivesmith: error: {}", self.message);
        }
        self.exit.into()
    }
}

/// What can be done about a hive that was not closed cleanly.
fn dirty(path: &Path, logs: LogState) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = path.display();
    let way_on = match logs {
        LogState::Replayable => format!("replay them: hivesmith recover {file}"),
        LogState::Ambiguous => format!("choose: hivesmith recover --replay newer|both {file}"),
        _ if Writing::default().redo_for(path).exists() => {
            format!("a commit of hivesmith's own was interrupted; finish it: hivesmith recover {file}")
        }
        _ => format!(
            "if {name}.LOG1 and {name}.LOG2 (or {name}.LOG) of the same moment can be had, put them beside it and try \
             again\n  --accept-dirty edits it as it is, without what its logs would have held, if its check finds nothing \
             wrong"
        ),
    };
    format!(
        "\n  {way_on}\n  to look at it as it is: hivesmith dump --recover ignore {file} (what Windows wrote last may be \
         missing)"
    )
}

impl From<io::Error> for Failure {
    /// Errors of standard output; a broken pipe ends quietly.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Done, "");
        }
        Self::new(Exit::Io, error.to_string())
    }
}
