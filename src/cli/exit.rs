//! Exit codes, and how errors become them.

use std::{io, path::Path, process::ExitCode};

use hivesmith::{Error, RequestError};

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
            Error::NeedsRecovery(_) => {
                (Exit::Refused, "\n  to look at it as it is: --recover ignore (what Windows wrote last may be missing)")
            }
            Error::Corrupt(_) => (Exit::Refused, "\n  for everything that is wrong with it: hivesmith check"),
            Error::Format(_) | Error::Security(_) => (Exit::Refused, ""),
            Error::Request(
                RequestError::Layered
                | RequestError::ReadOnly
                | RequestError::Uncommittable(_)
                | RequestError::HalfDone,
            ) => (Exit::Refused, ""),
            Error::Request(_) => (Exit::Usage, ""),
            _ => (Exit::Io, ""),
        };
        Self::new(exit, format!("{}: {error}{hint}", path.display()))
    }

    /// An error of the host about a file.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::new(Exit::Io, format!("{}: {error}", path.display()))
    }

    /// Says it and gives the exit code. A reader that went away (`| head`) is no failure worth words.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            anstream::eprintln!("hivesmith: error: {}", self.message);
        }
        self.exit.into()
    }
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
