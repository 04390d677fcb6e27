//! Files and folders on their way to a name: made beside it, hidden, with the permissions that the
//! process's umask allows. Temporaries are else for their owner alone, results are not.

use std::io;
use std::path::Path;
use tempfile::{Builder, NamedTempFile, TempDir};

/// A file in `folder` whose name begins with `prefix`.
///
/// # Errors
/// The system's.
pub fn file(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    builder(prefix, 0o666).tempfile_in(folder)
}

/// A folder in `folder` whose name begins with `prefix`.
///
/// # Errors
/// The system's.
pub fn folder(folder: &Path, prefix: &str) -> io::Result<TempDir> {
    builder(prefix, 0o777).tempdir_in(folder)
}

/// What makes temporaries whose names begin with `prefix`; `mode` is before the umask.
pub fn builder(prefix: &str, mode: u32) -> Builder<'_, '_> {
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
