//! Which partition a folder is mounted from (Linux).
//!
//! The mount table names the device of a mount. For file systems in user space, ntfs-3g among them, the number of the
//! device is made up and its name is the true one. What the device is stands in `/sys/dev/block`: a partition has
//! `partition` and `start` there and lies in the folder of its disk; a loop device has the file behind it.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStringExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use super::{PartitionEntry, PartitionTable};

/// The partition that a folder is on.
pub(super) fn partition_of_folder(folder: &Path) -> io::Result<PartitionEntry> {
    let folder = fs::canonicalize(folder)?;
    let table = fs::read("/proc/self/mountinfo")?;
    let mount = mount_of(&table, &folder)
        .ok_or_else(|| no(format!("{}: the mount table does not say what is mounted there", folder.display())))?;
    // Where the number is that of a device, it is what was mounted; the name may be another device's by now.
    let found = if fs::metadata(Path::new(DEVICES).join(&mount.number)).is_ok() {
        partition_of_number(&mount.number, &mount.source)
    } else {
        partition_of_device(&mount.source)
    };
    found.map_err(|error| no(format!("{} is mounted from {}: {error}", folder.display(), mount.source.display())))
}

/// The partition that a block device is.
pub(super) fn partition_of_device(device: &Path) -> io::Result<PartitionEntry> {
    let metadata = fs::metadata(device)?;
    if !metadata.file_type().is_block_device() {
        return Err(no(format!("{} is no block device", device.display())));
    }
    let (major, minor) = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    partition_of_number(&format!("{major}:{minor}"), device)
}

/// The same for the number of a device, `major:minor`; its name is for messages.
fn partition_of_number(number: &str, device: &Path) -> io::Result<PartitionEntry> {
    let sys = fs::canonicalize(Path::new(DEVICES).join(number))?;
    let number = |name: &str| -> Option<u64> { fs::read_to_string(sys.join(name)).ok()?.trim().parse().ok() };
    // A partition: its start in units of 512 bytes, whatever the sectors of the disk are.
    if let (Some(_), Some(start)) = (number("partition"), number("start")) {
        let disk = sys.parent().and_then(Path::file_name).map(|name| Path::new("/dev").join(name));
        let disk = disk.ok_or_else(|| no(format!("{}: no disk above it", device.display())))?;
        return partition_at(&disk, start.saturating_mul(512));
    }
    // A loop device over the image of a disk, set up with the offset of the partition.
    if let Ok(file) = fs::read_to_string(sys.join("loop/backing_file")) {
        let offset = number("loop/offset").unwrap_or(0);
        return partition_at(Path::new(file.trim_end_matches('\n')), offset);
    }
    Err(no(format!("{} is a whole disk, not a partition", device.display())))
}

fn partition_at(disk: &Path, offset: u64) -> io::Result<PartitionEntry> {
    let table = PartitionTable::open(disk)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", disk.display())))?;
    let found = table.partitions.into_iter().find(|partition| partition.offset == offset);
    found.ok_or_else(|| no(format!("{}: no partition begins at byte {offset}", disk.display())))
}

/// Every block device, by its number.
const DEVICES: &str = "/sys/dev/block";

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    number: String,
    source: PathBuf,
}

/// The mount that a folder lies in: the last of those with the longest mount point above it.
///
/// A line is `id parent major:minor root mount-point options optional… - type source super-options`, with `\040` for a
/// blank (proc(5)).
fn mount_of(table: &[u8], folder: &Path) -> Option<Mount> {
    let mut best: Option<(usize, Mount)> = None;
    for line in table.split(|byte| *byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let Some(dash) = fields.iter().position(|field| *field == b"-") else { continue };
        let (Some(number), Some(point), Some(source)) = (fields.get(2), fields.get(4), fields.get(dash + 2)) else {
            continue;
        };
        let point = unescaped(point);
        let depth = point.components().count();
        if folder.starts_with(&point) && best.as_ref().is_none_or(|(known, _)| depth >= *known) {
            let number = String::from_utf8_lossy(number).into_owned();
            best = Some((depth, Mount { number, source: unescaped(source) }));
        }
    }
    best.map(|(_, mount)| mount)
}

/// `\040` and its like.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let code = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| byte == b'\\') {
            Some(code) => {
                out.push(code);
                rest = behind.get(3..).unwrap_or_default();
            }
            None => out.push(byte),
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(out))
}

fn no(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 8:18 / /mnt/win rw,relatime shared:2 - ntfs3 /dev/sdb2 rw
41 22 0:45 / /mnt/old rw,nosuid shared:3 master:1 - fuseblk /dev/sdc1 rw
42 22 8:33 / /mnt/with\\040blank rw - vfat /dev/sdc1 rw
43 22 8:34 / /mnt/win rw - ntfs3 /dev/sdd7 rw
junk
44 22 8:99 /
";

    #[test]
    fn the_deepest_and_last_mount_counts() {
        let mount = |folder: &str| mount_of(TABLE, Path::new(folder)).unwrap();
        assert_eq!(mount("/home/x"), Mount { number: "8:1".to_owned(), source: "/dev/sda1".into() });
        assert_eq!(mount("/mnt/win/Windows").source, Path::new("/dev/sdd7"));
        assert_eq!(mount("/mnt/window").source, Path::new("/dev/sda1"));
        assert_eq!(mount("/mnt/old").source, Path::new("/dev/sdc1"));
        assert_eq!(mount("/mnt/with blank/a").number, "8:33");
        assert_eq!(mount_of(b"", Path::new("/")), None);
    }

    #[test]
    fn only_whole_escapes_are_undone() {
        assert_eq!(unescaped(b"a\\040b\\"), Path::new("a b\\"));
        assert_eq!(unescaped(b"\\0x4\\134"), Path::new("\\0x4\\"));
    }

    /// Whatever this machine has mounted, the answer is a partition or a sentence.
    #[test]
    fn folders_without_a_partition_say_so() {
        let error = partition_of_folder(Path::new("/proc")).unwrap_err();
        assert!(error.to_string().contains("/proc"), "{error}");
        assert!(partition_of_device(Path::new("/dev/null")).unwrap_err().to_string().contains("no block device"));
    }
}
