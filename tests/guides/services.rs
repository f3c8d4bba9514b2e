//! `hivesmith sc`: how services start, by itself and in scripts.

use hivesmith::{Data, Hive, Version};

use crate::disk::Disk;

fn sc(disk: &Disk, words: &[&str]) -> crate::disk::Done {
    let (root, undo) = (disk.root().display().to_string(), disk.undo().display().to_string());
    let ours = ["sc", "--root", &root, "--undo-dir", &undo];
    disk.hivesmith(ours.into_iter().chain(words.iter().copied()))
}

fn values(disk: &Disk, name: &str) -> String {
    let key = format!(r"HKLM\SYSTEM\ControlSet001\Services\{name}");
    disk.reg(&["query", &key]).ends(0).out
}

#[test]
fn a_service_is_set_up_and_shown_as_windows_does_it() {
    let disk = Disk::small();
    let options = [
        "type=",
        "share",
        "start=",
        "delayed-auto",
        "error=",
        "severe",
        "binPath=",
        "%SystemRoot%\\svchost.exe -k x",
        "obj=",
        "LocalSystem",
        "DisplayName=",
        "Group Policy Client",
        "depend=",
        "RPCSS/Mup/+Network",
        "group=",
        "g",
    ];
    let done = sc(&disk, &[&["config", "GPSVC"][..], &options].concat()).ends(0);
    assert_eq!(done.out, "[SC] ChangeServiceConfig SUCCESS\n");
    let set = values(&disk, "gpsvc");
    for value in [
        "Type    REG_DWORD    0x20",
        "Start    REG_DWORD    0x2",
        "DelayedAutostart    REG_DWORD    0x1",
        "ErrorControl    REG_DWORD    0x2",
        "ImagePath    REG_EXPAND_SZ    %SystemRoot%\\svchost.exe -k x",
        "ObjectName    REG_SZ    LocalSystem",
        "DependOnService    REG_MULTI_SZ    RPCSS\\0Mup",
        "DependOnGroup    REG_MULTI_SZ    Network",
    ] {
        assert!(set.contains(&format!("    {value}\n")), "{value}: {set}");
    }
    assert_eq!(
        sc(&disk, &["qc", "gpsvc"]).ends(0).out,
        "[SC] QueryServiceConfig SUCCESS

SERVICE_NAME: gpsvc
        TYPE               : 20  WIN32_SHARE_PROCESS
        START_TYPE         : 2   AUTO_START  (DELAYED)
        ERROR_CONTROL      : 2   SEVERE
        BINARY_PATH_NAME   : %SystemRoot%\\svchost.exe -k x
        LOAD_ORDER_GROUP   : g
        TAG                : 0
        DISPLAY_NAME       : Group Policy Client
        DEPENDENCIES       : RPCSS
                           : Mup
                           : +Network
        SERVICE_START_NAME : LocalSystem
"
    );
    let query = sc(&disk, &["query", "gpsvc"]).ends(0).out;
    assert!(query.starts_with("\nSERVICE_NAME: gpsvc\nDISPLAY_NAME: Group Policy Client\n"), "{query}");
    assert!(query.contains("        STATE              : 1  STOPPED\n"), "{query}");
    assert!(sc(&disk, &["query"]).ends(0).out.contains("SERVICE_NAME: gpsvc\n"));
    assert!(!sc(&disk, &["query", "type=", "driver"]).ends(0).out.contains("gpsvc"));

    let settled = disk.files();
    sc(&disk, &["config", "gpsvc", "start=", "delayed-auto"]).ends(0);
    assert!(disk.files() == settled, "it is so already");
    sc(&disk, &["config", "gpsvc", "start=", "disabled", "depend=", ""]).ends(0);
    let set = values(&disk, "gpsvc");
    assert!(
        set.contains("    Start    REG_DWORD    0x4\n") && set.contains("    DelayedAutostart    REG_DWORD    0x0\n")
    );
    assert!(!set.contains("DependOn"), "{set}");
}

#[test]
fn what_a_service_cannot_have_is_refused() {
    let disk = Disk::small();
    let before = disk.files();
    sc(&disk, &["config", "nobody", "start=", "auto"]).ends(1).says("FAILED 1060");
    sc(&disk, &["qc", "nobody"]).ends(1).says("does not exist as an installed service");
    sc(&disk, &["config", "gpsvc", "start=", "boot"]).ends(2).says("only drivers");
    sc(&disk, &["config", "gpsvc", "type=", "kernel", "start=", "delayed-auto"]).ends(2).says("drivers cannot");
    sc(&disk, &["config", "gpsvc", "start=", "disable"]).ends(2).says("did you mean `disabled`?");
    sc(&disk, &["start", "gpsvc"]).ends(2).says("cannot be carried out on a disk");
    let dry = sc(&disk, &["config", "gpsvc", "start=", "demand", "--dry-run"]).ends(0);
    assert!(dry.out.contains("Start = REG_DWORD 0x3 (3), was REG_DWORD 0x2 (2)"), "{}", dry.out);
    assert!(disk.files() == before && !disk.undo().exists());
}

#[test]
fn lines_of_scripts_mean_the_installation_of_the_root() {
    let disk = Disk::small();
    let root = disk.root().display().to_string();
    let script = "sc config gpsvc start= disabled\r\nsc.exe qc gpsvc\r\n";
    disk.run(script, &["--root", &root]).ends(0);
    assert!(values(&disk, "gpsvc").contains("    Start    REG_DWORD    0x4\n"));
    let done = disk.run("sc config gpsvc start= auto", &[]).ends(2);
    done.says(r"no loaded hive holds HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\gpsvc");
    disk.run("sc start gpsvc", &["--root", &root]).ends(3).says("needs the running Windows");
    disk.run("sc config gpsvc start= auto sc start gpsvc", &["--root", &root]).ends(2).says("a second command, `sc`");
}

/// The listener's certificate goes, and Windows makes a new one at its next start.
#[test]
fn the_certificate_of_remote_desktop_is_removed_as_the_guides_do_it() {
    let disk = Disk::small();
    let store = r"Microsoft\SystemCertificates\Remote Desktop\Certificates";
    let mut software = Hive::create(Version::V1_5).unwrap();
    let mut txn = software.begin().unwrap();
    for thumbprint in ["00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF", "11AA11AA11AA11AA11AA11AA11AA11AA11AA11AA"] {
        let key = txn.create_key(txn.root(), format!(r"{store}\{thumbprint}").as_str()).unwrap();
        txn.set_value(key, "Blob", &Data::Binary(vec![3; 900])).unwrap();
    }
    let other = txn.create_key(txn.root(), r"Microsoft\SystemCertificates\MY\Certificates\22").unwrap();
    txn.set_value(other, "Blob", &Data::Binary(vec![4; 900])).unwrap();
    txn.commit().unwrap();
    software.write_to(disk.beside("SOFTWARE")).unwrap();
    let root = disk.root().display().to_string();
    let keys = || {
        let done = disk.reg(&["query", r"HKLM\SOFTWARE\Microsoft\SystemCertificates", "/s", "/f", "*", "/k"]).ends(0);
        done.out.lines().filter(|line| line.contains(r"\Certificates\")).count()
    };
    assert_eq!(keys(), 3);
    let one = r"Remove-Item -Path 'Cert:\LocalMachine\Remote Desktop\11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa'";
    disk.run(one, &["--root", &root]).ends(0);
    assert_eq!(keys(), 2);
    disk.run(one, &["--root", &root]).ends(1).says("certificate 11AA");
    let script = include_str!("../scripts/rdp-certificate.ps1");
    disk.write("rdp.ps1", script);
    let run = ["run", "rdp.ps1", "--root", &root, "--skip-online", "--undo-dir", "../undo"];
    disk.hivesmith(run).ends(0);
    assert_eq!(keys(), 1, "the store MY is another one");
    disk.hivesmith(run).ends(0).says("there is no certificate in the store Remote Desktop");
    disk.hivesmith(["check", &disk.beside("SOFTWARE").display().to_string()]).ends(0);
}
