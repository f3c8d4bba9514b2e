//! The procedure of the guides for the `MachineKeys` folder, as printed, on damaged trees.

use std::{fs, process::Command};

use crate::volume::{MACHINE_KEYS, Volume};

/// As the guides print it, for the disk of another machine.
const GUIDE: &str = include_str!("../scripts/machine-keys.cmd");
/// The same in PowerShell, for a running machine.
const ONLINE: &str = include_str!("../scripts/machine-keys-online.ps1");

const RDP_KEY: &str = "f686aace6942fb7f7ceb231212eef4a4_1d3a3c29-2e5f-4f4c-8a4e-3a3c5d9d6c11";
const FOREIGN: &str = "S-1-5-21-1004336348-1177238915-682003330-1001";

fn below(name: &str) -> String {
    format!("{MACHINE_KEYS}/{name}")
}

/// A tree with every kind of damage, and neighbours that are nobody's business.
fn damaged() -> Option<Volume> {
    let volume = Volume::mounted()?;
    volume.folder("ProgramData", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)");
    volume.folder("ProgramData/Microsoft/Crypto/RSA", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    volume.folder(MACHINE_KEYS, &format!("O:{FOREIGN}G:BUD:PAI(A;;0x12019f;;;WD)"));
    volume.file(&below(RDP_KEY), &format!("O:{FOREIGN}G:BUD:PAI(A;;FR;;;{FOREIGN})"));
    volume.file(&below("empty"), &format!("O:{FOREIGN}G:BUD:PAI"));
    volume.file(&below("null"), &format!("O:{FOREIGN}G:BUD:NO_ACCESS_CONTROL"));
    volume.file(&below("denied"), &format!("O:{FOREIGN}G:BUD:PAI(D;;FA;;;WD)"));
    volume.file(&below("inherited"), "O:BAG:BUD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)");
    volume.folder(&below("sub"), "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.file(&below("sub/deep"), "O:BAG:BUD:AI(A;ID;FA;;;BA)");
    volume.file("ProgramData/Microsoft/Crypto/RSA/other", "O:SYG:SYD:AI(D;;FW;;;WD)(A;ID;FA;;;SY)");
    volume.file("Windows/notepad.exe", "O:BAG:BAD:PAI(A;;0x1200a9;;;BU)(A;;FA;;;BA)");
    Some(volume)
}

#[test]
fn the_guides_procedure_repairs_a_damaged_folder_and_undo_takes_it_back() {
    let Some(volume) = damaged() else { return };
    let before = volume.all();
    let dry = volume.run(GUIDE, &["--dry-run"]).ends(0).prints("nothing was written");
    assert!(dry.out.contains("O:BAG:BU"), "{}", dry.out);
    assert_eq!((volume.all(), volume.journals().len()), (before.clone(), 0));
    assert!(!volume.path("temp").exists() && !volume.work().join("temp").exists());

    let done = volume.run(GUIDE, &[]).ends(0);
    let done = done
        .says(r"MachineKeys\null: it has a NULL DACL")
        .says(r"MachineKeys\denied: NT AUTHORITY\SYSTEM is granted (F)");
    done.says("an explicit denial for Everyone stands in front of it");

    let after = |name: &str| volume.sddl(&below(name));
    let granted = "(A;;FA;;;BA)(A;;FR;;;NS)(A;;FA;;;SY)";
    assert_eq!(volume.sddl(MACHINE_KEYS), format!("O:BAG:BUD:PAI{granted}(A;;0x12019f;;;WD)"));
    assert_eq!(after(RDP_KEY), format!("O:BAG:BUD:PAI{granted}(A;;FR;;;{FOREIGN})"));
    assert_eq!(after("empty"), format!("O:BAG:BUD:PAI{granted}"));
    assert_eq!(after("null"), "O:BAG:BUD:NO_ACCESS_CONTROL");
    assert_eq!(after("denied"), format!("O:BAG:BUD:PAI(D;;FA;;;WD){granted}"));
    // The folder hands nothing on, so what the file had inherited from elsewhere goes, as Windows does it.
    assert_eq!(after("inherited"), format!("O:BAG:BUD:AI{granted}"));
    // One trustee has one entry of each kind: (OI)(CI) stays apart from none.
    assert_eq!(after("sub"), format!("O:BAG:BUD:PAI{granted}(A;OICI;FA;;;BA)"));
    assert_eq!(after("sub/deep"), format!("O:BAG:BUD:AI{granted}(A;ID;FA;;;BA)"));

    // Listings are where the guide sends them; the one on the work drive has its folder made.
    let listing = |name: &str| fs::read_to_string(volume.work().join(format!("temp/{name}_permissions.txt"))).unwrap();
    let path = r"F:\ProgramData\Microsoft\Crypto\RSA\MachineKeys";
    let first = listing("BeforeScript");
    assert!(first.starts_with(&format!("{path} Everyone:(R,W)\r\n\r\n")), "{first}");
    assert!(first.contains(&format!("\r\n{path}\\empty\r\n\r\n")), "{first}");
    assert!(first.contains(&format!("\r\n{path}\\denied Everyone:(N)\r\n\r\n")), "{first}");
    assert!(first.ends_with("Successfully processed 8 files; Failed processing 0 files\r\n"), "{first}");
    let indent = " ".repeat(path.len() + 1);
    let expected = format!(
        "{path} BUILTIN\\Administrators:(F)\r\n{indent}NT AUTHORITY\\NETWORK SERVICE:(R)\r\n\
         {indent}NT AUTHORITY\\SYSTEM:(F)\r\n{indent}Everyone:(R,W)\r\n\r\n"
    );
    let last = listing("AfterScript");
    assert!(last.starts_with(&expected), "{last}");
    assert!(last.contains("null No permissions are set. All users have full control.\r\n"), "{last}");

    // It is on the disk, not in the driver's head, and nothing else is.
    let now = volume.all();
    volume.remount();
    assert_eq!(volume.all(), now);
    for ((path, was), is) in before.iter().map(|(path, was)| ((path, was), volume.hex(path))) {
        let ours = path.starts_with(MACHINE_KEYS);
        assert_eq!(*was != is, ours, "{path}");
    }

    // A second time there is nothing to do, and no journal for it.
    assert_eq!(volume.journals().len(), 1);
    volume.run(GUIDE, &[]).ends(0);
    assert_eq!(volume.journals().len(), 1);
    assert_eq!(volume.all(), now);

    volume.hivesmith(&["undo"]).ends(0).prints("put back from");
    volume.remount();
    let made_by_the_script = |(path, _): &(String, String)| path != "temp";
    let back: Vec<_> = volume.all().into_iter().filter(made_by_the_script).collect();
    assert_eq!(back, before);
    consistent(&volume);
}

#[test]
fn the_procedure_for_a_running_machine_is_carried_out_without_the_lines_that_need_it() {
    let Some(volume) = damaged() else { return };
    volume.set("", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;CI;FR;;;BU)(A;;FA;;;WD)");
    let script = ONLINE.replace("c:\\temp", "F:\\temp").replace("C:\\", "F:\\");
    volume.run(&script, &[]).ends(3).says("`remove-module psreadline` needs the running Windows");
    volume.run(&script, &["--skip-online"]).ends(0);
    assert!(volume.path("temp/AfterScript_permissions.txt").exists());
    // New files have what their folder hands on, not everybody's everything as the driver makes them.
    assert_eq!(volume.sddl("temp"), "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;CIID;FR;;;BU)");
    assert_eq!(volume.sddl("temp/AfterScript_permissions.txt"), "O:BAG:SYD:AI(A;ID;FA;;;SY)");
}

#[test]
fn what_cannot_be_read_or_written_stops_before_anything_is_written() {
    let Some(volume) = damaged() else { return };
    let before = volume.all();
    let elsewhere = GUIDE.replace("c:\\temp\\After", "Q:\\temp\\After");
    volume.run(&elsewhere, &[]).ends(2).says("script.cmd:13:62").says("nothing is known of drive Q:");
    let missing = GUIDE.replace("MachineKeys", "MachineKey");
    volume.run(&missing, &[]).ends(4).says("there is no \"MachineKey\"");
    assert_eq!((volume.all(), volume.journals().len()), (before.clone(), 0));

    fs::write(volume.path("hiberfil.sys"), b"hibr....").unwrap();
    volume.run(GUIDE, &[]).ends(3).says("--accept-hibernated");
    fs::remove_file(volume.path("hiberfil.sys")).unwrap();
    volume.unmount();
    volume.mount("ro");
    volume.run(GUIDE, &[]).ends(4).says("mounted read-only").says("nothing was written");
    assert_eq!((volume.all(), volume.journals().len()), (before, 0));
}

/// ntfs-3g's own check of the security of a volume finds nothing wrong. It misreads the second copy of `$SDS` where the
/// last entry's length is no multiple of 16, so only its word on descriptors counts.
fn consistent(volume: &Volume) {
    volume.unmount();
    let Ok(output) = Command::new("ntfssecaudit").arg("-a").arg(volume.image()).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("bad descriptor") && !text.contains("Bad descriptor"), "{text}");
}
