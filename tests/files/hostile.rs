//! Volumes that want the program to leave them: nothing outside is read or written, nothing hangs.

use std::{
    fs,
    os::unix::{
        ffi::OsStringExt as _,
        fs::{MetadataExt as _, symlink},
    },
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    support::Done,
    volume::{Volume, tool},
};

/// Two volumes: what is on the second is not to be touched from the first. Its descriptors can be changed, so a step out
/// would show.
fn pair() -> Option<(Volume, Volume)> {
    let (volume, outside) = (Volume::mounted()?, Volume::mounted()?);
    outside.folder("canaries", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)");
    outside.file("canaries/canary", "O:SYG:SYD:PAI(A;;FA;;;SY)");
    volume.folder("tree", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)");
    volume.file("tree/file", "O:SYG:SYD:AI(A;ID;FA;;;SY)");
    Some((volume, outside))
}

const GRANT: [&str; 5] = ["icacls", r"F:\tree", "/t", "/grant", "Users:(OI)(CI)F"];

#[test]
fn links_are_changed_themselves_and_lead_nowhere() {
    let Some((volume, outside)) = pair() else { return };
    let before = outside.all();
    let canary = fs::symlink_metadata(outside.path("canaries/canary")).unwrap();
    for (name, target) in [
        ("to-file", outside.path("canaries/canary")),
        ("to-folder", outside.path("canaries")),
        ("up", "..".into()),
        ("up-and-up", "../../../../../..".into()),
        ("loop", ".".into()),
        ("itself", "itself".into()),
        ("nowhere", "/nonexistent".into()),
    ] {
        symlink(target, volume.path("tree").join(name)).unwrap();
    }
    let done = volume.hivesmith(&GRANT).ends(0).prints("Successfully processed 9 files; Failed processing 0 files");
    assert!(!done.out.contains("canary"), "{}", done.out);
    assert!(volume.sddl("tree/to-file").contains("(A;;FA;;;BU)"), "{}", volume.sddl("tree/to-file"));
    assert_eq!(outside.all(), before);
    let after = fs::symlink_metadata(outside.path("canaries/canary")).unwrap();
    assert_eq!((after.ctime(), after.ctime_nsec()), (canary.ctime(), canary.ctime_nsec()));

    // Named on the command line: in the middle, at the end, and at the end with /l.
    volume.hivesmith(&["icacls", r"F:\tree\to-folder\canary"]).ends(3).says("links on the disk are not followed");
    volume.hivesmith(&["icacls", r"F:\tree\to-folder", "/grant", "Users:F"]).ends(3).says("/l acts on the link itself");
    volume.hivesmith(&["takeown", "/f", r"F:\tree\to-file", "/a"]).ends(3).says("not followed");
    volume.hivesmith(&["icacls", r"F:\tree\to-folder", "/l", "/setowner", "Users"]).ends(0);
    assert!(volume.sddl("tree/to-folder").starts_with("O:BU"));
    let through = volume.path("tree/to-folder/canary").display().to_string();
    volume.hivesmith(&["icacls", &through]).ends(3).says("not followed");
    assert_eq!(outside.all(), before);
}

#[test]
fn dots_lead_nowhere_at_any_level() {
    let Some((volume, outside)) = pair() else { return };
    let before = (volume.all(), outside.all());
    for path in
        [r"F:\..", r"F:\..\x", r"F:\tree\..\..\x", r"F:\tree\..", "F:/tree/../../../etc/passwd", r"F:\tree\..\*"]
    {
        volume.hivesmith(&["icacls", path, "/grant", "Users:F"]).ends(3).says("`..` leads out");
        volume.hivesmith(&["takeown", "/a", "/f", path]).ends(3).says("`..` leads out");
    }
    assert_eq!((volume.all(), outside.all()), before);
}

#[test]
fn fifos_and_devices_are_never_opened() {
    let Some((volume, _)) = pair() else { return };
    tool("mkfifo", &[volume.path("tree/fifo").to_str().unwrap()]);
    tool("mknod", &[volume.path("tree/device").to_str().unwrap(), "c", "1", "5"]);
    let _socket = std::os::unix::net::UnixListener::bind(volume.path("tree/socket"));
    volume.hivesmith(&GRANT).ends(0).prints("Failed processing 0 files");
    assert!(volume.sddl("tree/fifo").contains("(A;;FA;;;BU)"), "its descriptor is one as any other");
    volume.hivesmith(&["undo"]).ends(0);

    // Where a hive is looked for, and its log.
    let config = volume.path("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    let program = |arguments: &[&str]| {
        let root = volume.root().display().to_string();
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("ROOT", &root)).collect();
        Done::of(Command::new(env!("CARGO_BIN_EXE_hivesmith")).args(arguments).current_dir(volume.work()))
    };
    for name in ["SYSTEM", "SOFTWARE", "hiberfil.sys"] {
        let path = if name == "hiberfil.sys" { volume.path(name) } else { config.join(name) };
        tool("mkfifo", &[path.to_str().unwrap()]);
    }
    let all = [
        &["reg", "query", r"HKLM\SYSTEM\Select", "--root", "ROOT"][..],
        &["reg", "add", r"HKLM\SYSTEM\Select", "/f", "--root", "ROOT"],
        &["dump", "ROOT/Windows/System32/config/SYSTEM"],
        &["check", "ROOT/Windows/System32/config/SYSTEM"],
        &["recover", "ROOT/Windows/System32/config/SYSTEM"],
        &["repair", "ROOT/Windows/System32/config/SYSTEM", "-o", "new"],
    ];
    for arguments in all {
        assert_eq!(program(arguments).code, 3, "{arguments:?}");
    }
    fs::remove_file(config.join("SYSTEM")).unwrap();
    let hive = hivesmith::Hive::create(hivesmith::Version::V1_5).unwrap();
    hive.write_to(config.join("SYSTEM")).unwrap();
    tool("mkfifo", &[config.join("SYSTEM.LOG1").to_str().unwrap()]);
    for arguments in &all[..3] {
        assert_eq!(program(arguments).code, 3, "{arguments:?}");
    }
    fs::remove_file(config.join("SYSTEM.LOG1")).unwrap();
    // The version of Windows is asked of SOFTWARE, which is a FIFO still.
    program(&["reg", "add", r"HKLM\SYSTEM\X", "/f", "--root", "ROOT"]).ends(0);
}

#[test]
fn what_is_mounted_over_the_volume_is_not_the_volume() {
    let Some((volume, outside)) = pair() else { return };
    fs::create_dir(volume.path("tree/mounted")).unwrap();
    tool(
        "mount",
        &["--bind", outside.path("canaries").to_str().unwrap(), volume.path("tree/mounted").to_str().unwrap()],
    );
    let before = outside.all();
    let done = volume.hivesmith(&GRANT);
    let listed = volume.hivesmith(&["icacls", r"F:\tree", "/t", "/c"]);
    let named = volume.hivesmith(&["icacls", r"F:\tree\mounted\canary"]);
    tool("umount", &[volume.path("tree/mounted").to_str().unwrap()]);
    done.ends(3).says("another file system is mounted there").says("nothing was written");
    assert!(!listed.out.contains("canary"), "{}", listed.out);
    listed.ends(3).prints("Failed processing 1 files");
    named.ends(3);
    assert_eq!(outside.all(), before);
    assert_eq!(volume.sddl("tree"), "O:SYG:SYD:PAI(A;OICI;FA;;;SY)");
}

/// Somebody swaps a folder for a link to the outside, over and over, while the tree is walked and written.
#[test]
fn a_link_that_is_swapped_in_during_the_walk_is_not_followed() {
    let Some((volume, outside)) = pair() else { return };
    for number in 0..40 {
        volume.file(&format!("tree/sub/{number}"), "O:SYG:SYD:AI(A;ID;FA;;;SY)");
        // The same names outside, for a step out to succeed.
        outside.file(&format!("canaries/{number}"), "O:SYG:SYD:PAI(A;;FA;;;SY)");
    }
    let before = outside.all();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (stop, sub, aside) = (Arc::clone(&stop), volume.path("tree/sub"), volume.path("aside"));
        let target = outside.path("canaries");
        std::thread::spawn(move || {
            let mut swaps = 0;
            while !stop.load(Ordering::Relaxed) {
                swaps += usize::from(swap(&sub, &aside, &target));
                // As long as a link as it is a folder, and not in step with the program.
                std::thread::sleep(std::time::Duration::from_micros(swaps as u64 * 701 % 4000));
            }
            swaps
        })
    };
    let mut codes = Vec::new();
    for round in 0..120 {
        let account = ["Users", "Guests", "Everyone"][round % 3];
        let grant = format!("{account}:(OI)(CI)F");
        codes.push(volume.hivesmith(&["icacls", r"F:\tree", "/t", "/c", "/grant:r", &grant]).code);
    }
    stop.store(true, Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert!(swaps > 30, "only {swaps} swaps: nothing was put to the test");
    assert!(outside.all() == before, "the outside was written to; exit codes {codes:?}");
}

/// The folder aside and a link in its place, and back.
fn swap(sub: &Path, aside: &Path, target: &Path) -> bool {
    if fs::rename(sub, aside).is_err() {
        return false;
    }
    let linked = symlink(target, sub).is_ok();
    std::thread::sleep(std::time::Duration::from_millis(2));
    let _ = fs::remove_file(sub);
    fs::rename(aside, sub).unwrap();
    linked
}

#[test]
fn names_that_are_no_text_survive() {
    let Some((volume, _)) = pair() else { return };
    // An unpaired surrogate, as NTFS allows, and a name that would move a terminal's cursor.
    let name = std::ffi::OsString::from_vec(b"x\xed\xa0\x80y".to_vec());
    let path = volume.path("tree").join(&name);
    fs::write(&path, b"").unwrap();
    fs::write(volume.path("tree/\u{202e}gpj.exe"), b"").unwrap();
    let attribute = |path: &Path| {
        Command::new("getfattr")
            .args(["-h", "--only-values", "-n", "system.ntfs_acl"])
            .arg(path)
            .output()
            .unwrap()
            .stdout
    };
    let before = attribute(&path);
    let done = volume.hivesmith(&GRANT).ends(0).prints(r"F:\tree\x\u{d800}y").prints("Successfully processed 4 files");
    assert!(!done.out.contains('\u{202e}'), "{}", done.out);
    assert_ne!(attribute(&path), before);
    volume.hivesmith(&["icacls", r"F:\tree", "/t", "/save", r"C:\acl"]).ends(0);
    let now = attribute(&path);
    volume.hivesmith(&["undo"]).ends(0);
    assert_eq!(attribute(&path), before);
    volume.hivesmith(&["icacls", r"F:\", "/restore", r"C:\acl"]).ends(0);
    assert_eq!(attribute(&path), now);
}

#[test]
fn deep_trees_end() {
    let Some((volume, _)) = pair() else { return };
    let mut folder = volume.path("tree");
    for _ in 0..520 {
        folder.push("d");
        if fs::create_dir(&folder).is_err() {
            break;
        }
    }
    let done = volume.hivesmith(&["icacls", r"F:\tree", "/t", "/c", "/q", "/grant", "Users:R"]);
    let done =
        if folder.components().count() > 510 { done.ends(4).says("deeper than 500 folders") } else { done.ends(0) };
    assert!(done.out.contains("Successfully processed 50"), "{}", done.out);
}
