//! Files and folders on their way to a name, with the permissions that the process's umask allows:
//! temporaries are else for their owner alone, results are not.

use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::{Builder, TempDir, TempPath};

/// A folder in `folder` whose name begins with `prefix`.
///
/// # Errors
/// The system's.
pub fn folder(folder: &Path, prefix: &str) -> io::Result<TempDir> {
    builder(prefix, 0o777).tempdir_in(folder)
}

/// How a file that is being written gets its name.
#[derive(Debug)]
pub enum Pending {
    /// It has none so far: when the process ends, however that comes, the file is gone.
    Nameless,
    /// It goes by another one. A process that is killed leaves it behind.
    Temporary(TempPath),
}

impl Pending {
    /// An empty file in `folder`, to be read and written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(folder: &Path) -> Result<(File, Self)> {
        if let Some(file) = nameless(folder) {
            return Ok((file, Self::Nameless));
        }
        let (file, path) = named()
            .tempfile_in(folder)
            .map_err(|error| Error::io(folder, error))?
            .into_parts();
        Ok((file, Self::Temporary(path)))
    }

    /// An empty file in the folder of `path`, the name that it will get.
    ///
    /// # Errors
    /// [`Error::Io`] for `path`.
    pub fn beside(path: &Path) -> Result<(File, Self)> {
        Self::create(beside(path)).map_err(|error| match error {
            Error::Io { source, .. } => Error::io(path, source),
            other => other,
        })
    }

    /// Gives `file`, which was created with this, the name `path` in its folder; a file that had
    /// the name is replaced.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn publish(self, file: &File, path: &Path) -> Result<()> {
        let fault = |error| Error::io(path, error);
        let temporary = match self {
            Self::Temporary(temporary) => temporary,
            Self::Nameless => named()
                .make_in(beside(path), |name| link(file, name))
                .map_err(fault)?
                .into_temp_path(),
        };
        temporary.persist(path).map_err(|error| fault(error.error))
    }
}

/// The folder that `path` is in.
fn beside(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What makes files that go by another name.
fn named() -> Builder<'static, 'static> {
    builder(".arxiv-core-", 0o666)
}

/// What makes temporaries whose names begin with `prefix`; `mode` is before the umask.
fn builder(prefix: &str, mode: u32) -> Builder<'_, '_> {
    let mut builder = Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// A file that has no name and can be given one; none where there is no such thing.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    if !Path::new(DESCRIPTORS).is_dir() {
        return None;
    }
    File::options()
        .read(true)
        .write(true)
        .mode(0o666)
        .custom_flags(libc::O_TMPFILE)
        .open(folder)
        .ok()
}

/// By way of here a file without a name is given one: see open(2) on `O_TMPFILE`.
#[cfg(target_os = "linux")]
const DESCRIPTORS: &str = "/proc/self/fd";

#[cfg(target_os = "linux")]
fn link(file: &File, name: &Path) -> io::Result<()> {
    use std::ffi::CString;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    let from = CString::new(format!("{DESCRIPTORS}/{}", file.as_raw_fd()))?;
    let to = CString::new(name.as_os_str().as_bytes())?;
    // SAFETY: both are strings that end in a zero and outlive the call, which keeps neither.
    let result = unsafe {
        libc::linkat(
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::AT_SYMLINK_FOLLOW,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    fn temporary(folder: &Path) -> (File, Pending) {
        let (file, path) = named().tempfile_in(folder).unwrap().into_parts();
        (file, Pending::Temporary(path))
    }

    #[test]
    fn a_file_appears_whole_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("papers");
        for create in [|folder: &Path| Pending::create(folder).unwrap(), temporary] {
            std::fs::write(&path, "before").unwrap();
            let (mut file, pending) = create(folder.path());
            file.write_all(b"after").unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"before");
            pending.publish(&file, &path).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"after");
            assert_eq!(names(folder.path()), ["papers"]);
        }
    }

    #[test]
    fn a_file_without_a_name_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for create in [|folder: &Path| Pending::create(folder).unwrap(), temporary] {
            drop(create(folder.path()));
            assert!(names(folder.path()).is_empty());
        }
    }

    #[test]
    fn the_output_is_as_readable_as_any_other_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
            metadata.permissions().mode()
        };
        std::fs::write(folder.path().join("other"), "").unwrap();
        for create in [|folder: &Path| Pending::create(folder).unwrap(), temporary] {
            let (file, pending) = create(folder.path());
            pending
                .publish(&file, &folder.path().join("papers"))
                .unwrap();
            assert_eq!(mode("papers"), mode("other"));
        }
    }
}
