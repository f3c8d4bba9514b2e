//! What is listed is what Windows' own `icacls` was seen to list for the same descriptor.

use std::fs;

use serde_json::Value as Json;

use crate::{support::vectors, volume::Volume};

#[test]
fn listings_are_those_of_windows() {
    let Some(folder) = vectors() else { return };
    let Some(volume) = Volume::mounted() else { return };
    let path = folder.join("icacls-display.json");
    let vectors: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut tried = 0;
    for vector in vectors["listings"].as_array().unwrap() {
        volume.file("x", &format!("O:BAG:BA{}", vector["sddl"].as_str().unwrap()));
        let done = volume.hivesmith(&["icacls", r"F:\x"]).ends(0);
        // The same lines below another path.
        let seen = vector["path"].as_str().unwrap();
        let lines = vector["lines"].as_array().unwrap().iter().enumerate().map(|(number, line)| {
            let entry = &line.as_str().unwrap()[seen.len() + 1..];
            format!("{} {entry}\n", if number == 0 { r"F:\x" } else { "    " })
        });
        let summary = "\nSuccessfully processed 1 files; Failed processing 0 files\n";
        assert_eq!(done.out, lines.collect::<String>() + summary);
        tried += 1;
    }
    for vector in vectors["rights"].as_array().unwrap() {
        // A conditional entry is none that ntfs-3g stores.
        let kind = vector["ace_type"].as_str().unwrap();
        if kind == "XA" {
            continue;
        }
        volume.file("x", &format!("O:BAG:BAD:P({kind};;{};;;WD)", vector["mask"].as_str().unwrap()));
        let deny = if kind == "D" && vector["rights"] != "N" { "(DENY)" } else { "" };
        let line = format!("F:\\x Everyone:{deny}({})\n", vector["rights"].as_str().unwrap());
        volume.hivesmith(&["icacls", r"F:\x"]).ends(0).prints(&line);
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn paths_of_this_machine_serve_as_well() {
    let Some(volume) = Volume::mounted() else { return };
    let file = volume.file("Users/Me/a", "O:BAG:BAD:P(A;;FA;;;SY)");
    let shown = file.display().to_string();
    let line = format!("{shown} NT AUTHORITY\\SYSTEM:(F)\n\n");
    volume.hivesmith(&["icacls", &shown]).ends(0).prints(&line);
    let upper = volume.path("USERS/me/A").display().to_string();
    volume.hivesmith(&["icacls", &upper]).ends(0).prints(&format!("{upper} NT AUTHORITY\\SYSTEM:(F)\n\n"));
    // A link of the host's that leads onto the volume is the host's.
    let link = volume.work().join("link");
    std::os::unix::fs::symlink(volume.path("Users"), &link).unwrap();
    let through = link.join("me/A").display().to_string();
    volume.hivesmith(&["icacls", &through]).ends(0).prints(&format!("{through} NT AUTHORITY\\SYSTEM:(F)\n\n"));
    let here = volume.work().display().to_string();
    volume
        .hivesmith(&["icacls", &here])
        .ends(3)
        .says("no Windows security descriptors; mount the NTFS volume with ntfs-3g");
}
