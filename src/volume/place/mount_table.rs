//! The kernel's table of mounts: which driver serves a mount.

/// The file system type of the mount with this number, from the text of `/proc/self/mountinfo`.
///
/// ```text
/// 42 27 0:39 / /mnt/win rw,relatime shared:5 - fuseblk /dev/sdb2 rw,user_id=0
/// ^ number                    optional fields ^ ^ type
/// ```
pub(super) fn file_system(table: &str, number: &str) -> Option<String> {
    let line = table.lines().find(|line| line.split(' ').next() == Some(number))?;
    // Blanks inside a field are written as \040, so the separator cannot be part of one.
    let (_, behind) = line.split_once(" - ")?;
    behind.split(' ').next().map(str::to_owned)
}

/// The mount's number, from the text of `/proc/self/fdinfo/N`.
pub(super) fn mount_number(info: &str) -> Option<&str> {
    info.lines().find_map(|line| line.strip_prefix("mnt_id:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_stands_behind_the_optional_fields() {
        let table = "25 1 0:22 / / rw shared:1 - ext4 /dev/sda1 rw\n\
            42 27 0:39 / /mnt/a\\040-\\040b rw,relatime shared:5 master:2 - fuseblk /dev/sdb2 rw,user_id=0\n\
            4 27 0:40 /sub /mnt/c rw - fuse /images/a\\040b.img rw\n";
        for (number, expected) in [("25", Some("ext4")), ("42", Some("fuseblk")), ("4", Some("fuse")), ("2", None)] {
            assert_eq!(file_system(table, number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn the_number_is_a_line_of_its_own() {
        assert_eq!(mount_number("pos:\t0\nflags:\t012400000\nmnt_id:\t42\nino:\t68\n"), Some("42"));
        assert_eq!(mount_number("pos:\t0\n"), None);
    }
}
