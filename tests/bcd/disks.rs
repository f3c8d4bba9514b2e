//! Disks at hand: partition tables that other programs made, and stores on FAT.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use hivesmith::{bcd::PartitionId, volume::PartitionTable};

use crate::{Desk, assert_sound, changes, corpus, elements_of, reproduced::mbr_disk, say, support::missing_program};

/// Runs a program of the system; none where it is not installed, which in CI is an error.
fn tool(name: &str, arguments: &[&str], input: &str) -> Option<Output> {
    use std::io::Write as _;
    if cfg!(windows) {
        // Wine would start them, with paths that they do not know.
        missing_program(name);
        return None;
    }
    let paths = [name.to_owned(), format!("/usr/sbin/{name}"), format!("/sbin/{name}")];
    let spawn = |path: &String| {
        let mut command = Command::new(path);
        command.args(arguments).stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().ok()
    };
    let Some(mut child) = paths.iter().find_map(spawn) else {
        missing_program(name);
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[track_caller]
fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A disk that sfdisk partitioned, and what sfdisk says of it.
fn partitioned(path: &Path, script: &str) -> Option<serde_json::Value> {
    fs::File::create(path).unwrap().set_len(80 << 20).unwrap();
    let path = path.to_str().unwrap();
    done(tool("sfdisk", &["--quiet", path], script)?);
    Some(serde_json::from_str(&done(tool("sfdisk", &["--json", path], "")?)).unwrap())
}

#[test]
fn partition_tables_are_read_as_sfdisk_reads_them() {
    let desk = Desk::new();
    let (gpt, mbr) = (desk.path("gpt.img"), desk.path("mbr.img"));
    let script = "label: gpt\nsize=30M, type=uefi\nsize=1M, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\nsize=40M, \
                  type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n";
    let Some(theirs) = partitioned(&gpt, script) else { return };
    let ours = PartitionTable::open(&gpt).unwrap();
    let list = theirs["partitiontable"]["partitions"].as_array().unwrap();
    assert_eq!(ours.partitions.len(), list.len());
    for (ours, theirs_one) in ours.partitions.iter().zip(list) {
        assert_eq!(ours.offset, theirs_one["start"].as_u64().unwrap() * 512);
        assert_eq!(ours.length, theirs_one["size"].as_u64().unwrap() * 512);
        let disk = theirs["partitiontable"]["id"].as_str().unwrap().parse().unwrap();
        let partition = theirs_one["uuid"].as_str().unwrap().parse().unwrap();
        assert_eq!(ours.id, PartitionId::Gpt { disk, partition });
    }
    assert!(ours.partitions[0].boots && !ours.partitions[2].boots);

    let script = "label: dos\nlabel-id: 0x43da9ab1\nsize=8M, type=7, bootable\nsize=40M, type=5\nsize=10M, type=7\nsize=9M, \
                  type=7\nsize=7M, type=7\n";
    let Some(theirs) = partitioned(&mbr, script) else { return };
    let ours = PartitionTable::open(&mbr).unwrap();
    let list: Vec<&serde_json::Value> = theirs["partitiontable"]["partitions"].as_array().unwrap().iter().collect();
    let of_data: Vec<(u64, u64)> = list
        .iter()
        .filter(|one| one["type"] != "5")
        .map(|one| (one["start"].as_u64().unwrap() * 512, one["size"].as_u64().unwrap() * 512))
        .collect();
    let found: Vec<(u64, u64)> = ours.partitions.iter().map(|one| (one.offset, one.length)).collect();
    assert_eq!(found, of_data);
    let id = PartitionId::Mbr { signature: 0x43da_9ab1, offset: of_data[0].0 };
    assert_eq!((ours.partitions[0].id, ours.partitions[0].boots), (id, true));
    assert!(ours.partitions.iter().any(|one| one.number == 5), "logical ones: {:?}", ours.partitions);
}

/// A store whose Windows was moved to another disk is pointed at it: the documented cure for 0xc000000e.
#[test]
fn a_store_is_pointed_at_the_disk_at_hand() {
    let Some(corpus) = corpus() else { return };
    for (store, image) in [("windeploy-BCD", "mbr.img"), ("esp-nuc8/Boot/BCD", "gpt.img")] {
        let desk = Desk::with(&corpus.join(store));
        let drive = if image == "gpt.img" {
            let script = "label: gpt\nsize=30M, type=uefi\nsize=40M, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n";
            let Some(_) = partitioned(&desk.path(image), script) else { return };
            "F:=gpt.img#2"
        } else {
            fs::write(desk.path(image), mbr_disk(0xfeed_beef, 2048)).unwrap();
            "F:=mbr.img#1"
        };
        let table = PartitionTable::open(desk.path(image)).unwrap();
        let id = table.partitions.last().unwrap().id;
        let before = desk.elements();
        for line in ["/set {default} device partition=F:", "/set {default} osdevice partition=F:"] {
            desk.bcdedit(&format!("{line} --drive {drive}")).ends(0);
        }
        let bytes: String =
            hivesmith::bcd::Device::partition(id).encode().iter().map(|byte| format!("{byte:02x}")).collect();
        let found = changes(&before, &desk.elements());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with(&format!(" 11000001 3 {bytes}")), "{found:?}");
        assert!(found[1].ends_with(&format!(" 21000001 3 {bytes}")), "{found:?}");
        assert_sound(&desk.store());
        // With the disk in sight it has its letter; without, its identity, which can be written as well.
        let seen = desk.bcdedit(&format!("/enum {{default}} --drive {drive}")).ends(0).out;
        assert!(seen.contains("osdevice                partition=F:\n"), "{seen}");
        let unseen = desk.bcdedit("/enum {default}").ends(0).out;
        assert!(unseen.contains(&format!("osdevice                partition={id}\n")), "{unseen}");
        desk.bcdedit(&format!("/set {{default}} osdevice partition={id}")).ends(0);
        assert_eq!(changes(&before, &desk.elements()), found);
        for (line, why) in [
            ("/set {default} device partition=G:", "nothing is known of drive G:"),
            ("/set {default} device partition=mbr.img#9", "`mbr.img#9`"),
            ("/set {default} device partition=BCD", "`BCD`"),
        ] {
            desk.bcdedit(&format!("{line} --drive {drive}")).ends(2).says(why);
        }
    }
}

/// Loop devices and mounts need root, and a kernel that has them.
fn root_may_mount() -> bool {
    let may = tool("id", &["-u"], "").is_some_and(|done| done.stdout == b"0\n") && Path::new("/dev/fuse").exists();
    if !may {
        missing_program("root and /dev/fuse, to mount");
    }
    may
}

/// A mounted folder, until it goes out of scope.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        for _ in 0..20 {
            if Command::new("fusermount").arg("-u").arg(&self.0).status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

/// The file system of an EFI system partition: FAT32, as programs of the system leave it. A store comes from there, grows,
/// and goes back.
///
/// Not mounted: test machines have no FAT in their kernel, and the driver in user space there is (fusefat 0.1a) puts
/// bytes where nobody wrote them.
#[test]
fn a_store_on_fat_comes_out_grows_and_goes_back() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::new();
    let image = desk.path("esp.img");
    fs::File::create(&image).unwrap().set_len(40 << 20).unwrap();
    let path = image.to_str().unwrap().to_owned();
    let Some(made) = tool("mkfs.vfat", &["-F", "32", &path], "") else { return };
    done(made);
    let from = corpus.join("esp-nuc8/Boot");
    let Some(folder) = tool("mmd", &["-i", &path, "::/EFI", "::/EFI/Microsoft", "::/EFI/Microsoft/Boot"], "") else {
        return;
    };
    done(folder);
    for name in ["BCD", "BCD.LOG", "BCD.LOG1", "BCD.LOG2"] {
        let from = from.join(name);
        done(tool("mcopy", &["-i", &path, from.to_str().unwrap(), "::/EFI/Microsoft/Boot/"], "").unwrap());
    }
    let before = elements_of(&from.join("BCD"));
    let expected = ["9dea862c-5cdd-4e70-acc1-f32b344d4795 25000004 3 0500000000000000"];

    // Copied out, edited, copied in.
    let copied = desk.path("copied");
    fs::create_dir(&copied).unwrap();
    let copy = |name: &str, out: bool| {
        let (disk, host) = (format!("::/EFI/Microsoft/Boot/{name}"), copied.join(name));
        let host = host.to_str().unwrap();
        let ends = if out { [disk.as_str(), host] } else { [host, disk.as_str()] };
        done(tool("mcopy", &["-o", "-i", &path, ends[0], ends[1]], "").unwrap());
    };
    for name in ["BCD", "BCD.LOG", "BCD.LOG1", "BCD.LOG2"] {
        copy(name, true);
    }
    desk.hivesmith(["bcdedit", "--root", "copied", "/timeout", "5"]).ends(4).says("mount that one");
    for line in [vec!["/timeout", "5"], vec!["/copy", "{default}", "/d", "a copy that makes the store grow"]] {
        desk.hivesmith(["bcdedit", "/store", "copied/BCD"].into_iter().chain(line)).ends(0);
    }
    for name in ["BCD", "BCD.LOG", "BCD.LOG1", "BCD.LOG2"] {
        copy(name, false);
    }
    fs::remove_dir_all(&copied).unwrap();
    fs::create_dir(&copied).unwrap();
    copy("BCD", true);
    let copied = copied.join("BCD");
    assert_sound(&copied);
    let found = changes(&before, &elements_of(&copied));
    assert!(found.contains(&expected[0].to_owned()) && found.len() > 10, "{found:?}");
    assert!(fs::metadata(&copied).unwrap().len() > fs::metadata(from.join("BCD")).unwrap().len());
    done(tool("fsck.vfat", &["-n", &path], "").unwrap());
}

/// A loop device, until it goes out of scope.
struct Loop(String);

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).status();
    }
}

/// The whole way: a disk, its Windows partition mounted, and the store pointed at what is mounted there.
#[test]
fn a_mounted_partition_is_told_from_the_mount_table() {
    let Some(corpus) = corpus() else { return };
    if cfg!(not(target_os = "linux")) || !root_may_mount() {
        return;
    }
    let desk = Desk::with(&corpus.join("windeploy-BCD"));
    let image = desk.path("disk.img");
    let mut disk = mbr_disk(0x1234_5678, 2048);
    disk.resize(20 << 20, 0);
    // 16 MiB, which is enough for NTFS.
    disk[0x1ca..0x1ce].copy_from_slice(&32_768_u32.to_le_bytes());
    fs::write(&image, disk).unwrap();
    let image = image.to_str().unwrap();
    let Some(looped) = tool("losetup", &["--show", "-f", "-o", "1048576", "--sizelimit", "16777216", image], "") else {
        return;
    };
    if !looped.status.success() {
        say("*** SKIPPED: no loop device to be had ***");
        return;
    }
    let device = done(looped).trim().to_owned();
    let looped = Loop(device.clone());
    let Some(made) = tool("mkntfs", &["-F", "-q", &device], "") else { return };
    done(made);
    fs::create_dir(desk.path("win")).unwrap();
    let folder = desk.path("win");
    let Some(mounted) = tool("ntfs-3g", &[&device, folder.to_str().unwrap()], "") else { return };
    done(mounted);
    let mount = Mounted(folder);
    fs::create_dir(desk.path("win/Windows")).unwrap();
    for place in ["win", "win/Windows"] {
        let line = format!("/set {{default}} osdevice partition=F: --drive F:={place}");
        desk.bcdedit(&line).ends(0);
        let shown = desk.bcdedit("/enum {default}").out;
        assert!(shown.contains("osdevice                partition=mbr:12345678@1048576\n"), "{shown}");
        desk.bcdedit("/set {default} osdevice boot").ends(0);
    }
    desk.bcdedit(&format!("/set {{default}} osdevice partition={device}")).ends(0);
    assert!(desk.bcdedit("/enum {default} --drive W:=win").out.contains("osdevice                partition=W:\n"));
    drop(mount);
    drop(looped);
    // The current folder is on no partition that can be seen, or on one.
    let done = desk.bcdedit("/set {default} osdevice partition=F: --drive F:=/proc").ends(2);
    done.says("gpt:DISK-GUID/PARTITION-GUID");
}
