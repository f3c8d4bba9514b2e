//! Where results go: standard output, or a file that is there whole or not at all. And what is said on stderr of things
//! that have no place in the results.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, StdoutLock, Write},
    path::{Path, PathBuf},
    process,
};

use super::{Exit, Failure};

/// Buffered results. Nothing is done before [`finish`](Self::finish): a file that was begun is taken away again.
pub(crate) struct Output(To);

enum To {
    Stdout(BufWriter<StdoutLock<'static>>),
    /// A pipe or a device: it can be written but not replaced.
    Device(BufWriter<File>, PathBuf),
    File(Option<NewFile>),
}

/// A file under another name than it will have.
struct NewFile {
    out: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
}

const BUFFER: usize = 1 << 18;

impl Output {
    /// Standard output, locked, or the file.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            None => Ok(Self(To::Stdout(BufWriter::with_capacity(BUFFER, io::stdout().lock())))),
            Some(path) => Self::file(path).map_err(|error| Failure::io(path, &error)),
        }
    }

    /// As [`open`](Self::open), for results about these files, which must not be written over.
    pub(crate) fn open_beside(path: Option<&Path>, inputs: &[&Path]) -> Result<Self, Failure> {
        if let Some(output) = path.and_then(|path| fs::canonicalize(path).ok()) {
            if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == output)) {
                let message = format!("{}: is read, so it cannot be the output as well", output.display());
                return Err(Failure::new(Exit::Refused, message));
            }
        }
        Self::open(path)
    }

    fn file(path: &Path) -> io::Result<Self> {
        // Through symbolic links: it is their target that is replaced.
        let path = if path.exists() { fs::canonicalize(path)? } else { path.to_owned() };
        if fs::metadata(&path).is_ok_and(|known| !known.is_file()) {
            let device = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self(To::Device(BufWriter::with_capacity(BUFFER, device), path)));
        }
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.new", process::id()));
        let temporary = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let out = BufWriter::with_capacity(BUFFER, file);
        Ok(Self(To::File(Some(NewFile { out, temporary, path }))))
    }

    /// Ends the results: `written` is how the writing of them went. Only now does a file have its name.
    pub(crate) fn finish(mut self, written: io::Result<()>) -> Result<(), Failure> {
        let (path, done) = match &mut self.0 {
            To::Stdout(out) => return Ok(written.and_then(|()| out.flush())?),
            To::Device(out, path) => (path.clone(), written.and_then(|()| out.flush())),
            To::File(file) => {
                let Some(NewFile { out, temporary, path }) = file else { return Ok(()) };
                let done = written
                    .and_then(|()| out.flush())
                    .and_then(|()| out.get_ref().sync_all())
                    .and_then(|()| fs::rename(&*temporary, &*path));
                let path = path.clone();
                if done.is_ok() {
                    *file = None;
                }
                (path, done)
            }
        };
        done.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => error.into(),
            _ => Failure::io(&path, &error),
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            To::Stdout(out) => out.write(bytes),
            To::Device(out, _) | To::File(Some(NewFile { out, .. })) => out.write(bytes),
            To::File(None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            To::Stdout(out) => out.flush(),
            To::Device(out, _) | To::File(Some(NewFile { out, .. })) => out.flush(),
            To::File(None) => Ok(()),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let To::File(Some(file)) = &self.0 {
            // Best effort: what went wrong has been said already.
            let _ = fs::remove_file(&file.temporary);
        }
    }
}

/// What could not be read of a file, or not be said in a result.
pub(crate) struct Complaints {
    file: PathBuf,
    count: u64,
}

/// More of them are counted, not shown.
const SHOWN: u64 = 50;

impl Complaints {
    pub(crate) fn about(file: &Path) -> Self {
        Self { file: file.to_owned(), count: 0 }
    }

    pub(crate) fn add(&mut self, what: fmt::Arguments<'_>) {
        self.count += 1;
        if self.count <= SHOWN {
            anstream::eprintln!("hivesmith: {}: {what}", self.file.display());
        }
    }

    /// Says that the result is not the whole truth, if so: `what` is what it is.
    pub(crate) fn finish(self, what: &str) -> Exit {
        let file = self.file.display();
        match self.count {
            0 => return Exit::Done,
            1 => anstream::eprintln!("hivesmith: error: {file}: the {what} lacks what the line above says"),
            all if all <= SHOWN => {
                anstream::eprintln!("hivesmith: error: {file}: the {what} lacks what the {all} lines above say");
            }
            all => {
                let more = all - SHOWN;
                anstream::eprintln!("hivesmith: error: {file}: the {what} lacks what these lines say and {more} more");
            }
        }
        Exit::No
    }
}
