//! Pipes and terminals: read so that a caller who wants to stop is heard while nothing comes.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
#[cfg(unix)]
use std::time::Duration;

/// How long a reader waits for bytes before it looks at whether to go on, in milliseconds.
#[cfg(unix)]
const PATIENCE: i32 = 100;

/// Opens a file to read. A named pipe is open at once, whether or not somebody writes into it yet.
///
/// # Errors
/// The system's.
pub fn open(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
        if path.metadata()?.file_type().is_fifo() {
            let mut options = File::options();
            return options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
        }
    }
    File::open(path)
}

/// Opens a stream to write at its end. A named pipe is waited for until somebody reads it, or
/// `stopped` says true.
///
/// # Errors
/// The system's; [`io::ErrorKind::TimedOut`] once it is told to stop.
pub fn open_to_write(path: &Path, stopped: impl Fn() -> bool) -> io::Result<File> {
    let mut options = File::options();
    options.append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
        if path.metadata()?.file_type().is_fifo() {
            options.custom_flags(libc::O_NONBLOCK);
            loop {
                match options.open(path) {
                    Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                        if stopped() {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                        std::thread::sleep(Duration::from_millis(PATIENCE as u64));
                    }
                    Ok(file) => return blocking(file),
                    Err(error) => return Err(error),
                }
            }
        }
    }
    let _ = stopped;
    options.open(path)
}

/// The file, whose writes wait from now on until there is room.
#[cfg(unix)]
fn blocking(file: File) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open as long as the file, and the call takes no pointer.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(file),
    }
}

/// A stream that may stay silent for ever. Once it is told to stop, reading fails with
/// [`io::ErrorKind::TimedOut`].
pub struct Pipe<'a, F = File> {
    file: F,
    stopped: Box<dyn Fn() -> bool + 'a>,
}

impl<'a, F: Borrow<File>> Pipe<'a, F> {
    /// Reads `file`, which is already open, until `stopped` says true.
    pub fn new(file: F, stopped: impl Fn() -> bool + 'a) -> Self {
        Self {
            file,
            stopped: Box::new(stopped),
        }
    }
}

impl<'a> Pipe<'a> {
    /// Standard input, past whatever `std::io::stdin` holds.
    ///
    /// # Errors
    /// Where it is closed.
    #[cfg(unix)]
    pub fn standard_input(stopped: impl Fn() -> bool + 'a) -> io::Result<Self> {
        use std::os::fd::AsFd;
        let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self::new(File::from(descriptor), stopped))
    }
}

impl<F: Borrow<File>> Read for Pipe<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if (self.stopped)() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut file = self.file.borrow();
            if readable(file)? {
                match file.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            }
        }
    }
}

/// Whether a read returns at once, with bytes, the end or an error.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let mut wanted = libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one pollfd is passed, as the count says, and it and the file outlive the call.
    match unsafe { libc::poll(&mut wanted, 1, PATIENCE) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        ready => Ok(ready > 0),
    }
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn all_bytes_arrive_however_late() {
        let (reader, mut writer) = io::pipe().unwrap();
        let sender = std::thread::spawn(move || {
            for part in ["one ", "two ", "three"] {
                std::thread::sleep(Duration::from_millis(120));
                writer.write_all(part.as_bytes()).unwrap();
            }
        });
        let mut text = String::new();
        Pipe::new(File::from(OwnedFd::from(reader)), || false)
            .read_to_string(&mut text)
            .unwrap();
        sender.join().unwrap();
        assert_eq!(text, "one two three");
    }

    #[test]
    fn a_named_pipe_is_open_before_somebody_writes_and_heard_once_they_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let file = open(&path).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(250));
                std::fs::write(&path, "late").unwrap();
            });
            let mut text = String::new();
            Pipe::new(&file, || false)
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "late");
        });
    }

    #[test]
    fn a_named_pipe_that_nobody_reads_can_be_left_and_one_that_is_read_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = open_to_write(&path, || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let reader = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read_to_string(path).unwrap()
        });
        let mut file = open_to_write(&path, || false).unwrap();
        file.write_all("read".repeat(100_000).as_bytes()).unwrap();
        drop(file);
        assert_eq!(reader.join().unwrap().len(), 400_000);
    }

    #[test]
    fn a_silent_pipe_can_be_left() {
        let (reader, _writer) = io::pipe().unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                stop.store(true, Ordering::Relaxed);
            });
            let stopped = || stop.load(Ordering::Relaxed);
            let error = Pipe::new(File::from(OwnedFd::from(reader)), stopped)
                .read(&mut [0; 8])
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }
}
