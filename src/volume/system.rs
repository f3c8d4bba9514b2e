//! [`system_of`]: which Windows a hive belongs to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Data, Hive, Recover, System, name};

/// The first build of Windows that writes logs of numbered entries: 8.1.
const WINDOWS_8_1: u32 = 9600;

/// The first that reads a log of file type 1: XP. Windows NT and 2000 have 2 there, and take 1 for a copy of the hive.
const XP: u32 = 2600;

/// Which Windows a hive file belongs to, as the `SOFTWARE` hive of the installation around it says:
/// [`System::Unknown`] for a hive that lies anywhere else, and for a Windows before XP, whose logs are not written.
#[must_use]
pub fn system_of(hive: &Path) -> System {
    let build = fs::canonicalize(hive).ok().and_then(|hive| software(&hive)).and_then(|software| build(&software));
    match build {
        Some(build) if build >= WINDOWS_8_1 => System::Windows81,
        Some(build) if build >= XP => System::BeforeWindows81,
        _ => System::Unknown,
    }
}

/// The `SOFTWARE` hive beside this one, or in the Windows folder of a folder above it.
fn software(hive: &Path) -> Option<PathBuf> {
    hive.ancestors().skip(1).find_map(|folder| {
        let config = if folder.file_name()?.to_str().is_some_and(|folder| name::same(folder, "config")) {
            folder.to_owned()
        } else {
            ["Windows", "System32", "config"].iter().try_fold(folder.to_owned(), |at, part| child(&at, part))?
        };
        child(&config, "SOFTWARE")
    })
}

/// What a folder holds under this name, in any case. Links are not followed.
fn child(folder: &Path, wanted: &str) -> Option<PathBuf> {
    let real = |path: PathBuf| fs::symlink_metadata(&path).ok().filter(|found| !found.is_symlink()).map(|_| path);
    real(folder.join(wanted)).or_else(|| {
        let mut entries = fs::read_dir(folder).ok()?.flatten();
        let like = entries.find(|entry| entry.file_name().to_str().is_some_and(|name| name::same(name, wanted)))?;
        real(like.path())
    })
}

fn build(software: &Path) -> Option<u32> {
    // As it is: the number was written when Windows was installed.
    let hive = Hive::options().read_only(true).recover(Recover::Ignore).open(software).ok()?;
    let key = hive.view().key(r"Microsoft\Windows NT\CurrentVersion").ok()??;
    ["CurrentBuildNumber", "CurrentBuild"].iter().find_map(|name| match key.value(*name).ok()??.decode().ok()? {
        Data::Sz(text) => text.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    fn installation(build: Option<&str>) -> tempfile::TempDir {
        let disk = tempfile::tempdir().unwrap();
        let config = disk.path().join("WINDOWS/system32/config");
        fs::create_dir_all(&config).unwrap();
        fs::create_dir_all(disk.path().join("Users/me")).unwrap();
        let mut hive = Hive::create(Version::V1_5).unwrap();
        let mut txn = hive.begin().unwrap();
        let key = txn.create_key(txn.root(), r"Microsoft\Windows NT\CurrentVersion").unwrap();
        if let Some(build) = build {
            txn.set_value(key, "CurrentBuildNumber", &Data::Sz(build.to_owned())).unwrap();
        }
        txn.commit().unwrap();
        hive.write_to(config.join("software")).unwrap();
        fs::write(config.join("SYSTEM"), b"").unwrap();
        fs::write(disk.path().join("Users/me/NTUSER.DAT"), b"").unwrap();
        disk
    }

    #[test]
    fn the_build_number_tells() {
        for (build, system) in [
            (Some("2195"), System::Unknown),
            (Some("2600"), System::BeforeWindows81),
            (Some("9200"), System::BeforeWindows81),
            (Some("9600"), System::Windows81),
            (Some("19045"), System::Windows81),
            (Some("none"), System::Unknown),
            (None, System::Unknown),
        ] {
            let disk = installation(build);
            for hive in ["WINDOWS/system32/config/SYSTEM", "Users/me/NTUSER.DAT"] {
                assert_eq!(system_of(&disk.path().join(hive)), system, "{build:?} {hive}");
            }
        }
    }

    #[test]
    fn a_hive_that_lies_anywhere_is_of_no_system() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("SYSTEM"), b"").unwrap();
        assert_eq!(system_of(&folder.path().join("SYSTEM")), System::Unknown);
    }
}
