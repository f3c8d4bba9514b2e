//! What only a running Windows can do, and what to do in its place.

/// The sentence for a program or PowerShell command that cannot be carried out on a disk; none for others.
pub(super) fn instead(program: &str) -> Option<&'static str> {
    ONLINE.iter().find(|(names, _)| names.contains(&program)).map(|(_, instead)| *instead)
}

/// The sentence for services, also for `sc start` and `sc stop`.
pub(super) const SERVICES: &str =
    "Services start with Windows; `sc config NAME start= ...` changes offline whether this one does.";

/// Names in lower case.
const ONLINE: &[(&[&str], &str)] = &[
    (
        &["start-service", "stop-service", "restart-service", "get-service", "suspend-service", "resume-service"],
        SERVICES,
    ),
    (&["set-service", "new-service"], "Change the service with `sc config NAME start= ...`, which works offline."),
    (&["net", "net1"], "Services start with Windows and accounts are changed while it runs; leave this line out here."),
    (
        &["netstat", "tasklist", "taskkill", "get-process", "stop-process", "get-nettcpconnection", "qwinsta", "query"],
        "Only a running Windows has processes and open ports; the port that Remote Desktop will listen on is the value \
         PortNumber of Control\\Terminal Server\\WinStations\\RDP-Tcp, which `reg query` shows.",
    ),
    (
        &["gpupdate", "gpresult"],
        "Windows applies policy again when it starts; what comes from a domain has to be changed in that domain.",
    ),
    (&["shutdown", "restart-computer", "stop-computer"], "Unmount the disk and start the machine from it."),
    (&["import-module", "remove-module", "get-module"], "No module is needed here; leave this line out."),
    (
        &["set-location", "push-location", "pop-location", "cd", "chdir"],
        "Nothing has a current directory here; write whole paths.",
    ),
    (
        &["set-netfirewallrule", "new-netfirewallrule", "enable-netfirewallrule", "disable-netfirewallrule", "netsh"],
        "Firewall rules are values of the registry: `reg add` changes them offline, below \
         Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules.",
    ),
    (&["chkdsk"], "Check the file system with a tool for NTFS, or with chkdsk on a Windows the disk is attached to."),
    (&["sfc", "dism", "wusa"], "Servicing needs Windows' own tools; run this on a Windows the disk is attached to."),
    (&["bootrec", "bcdboot", "bootsect"], "Repair the store with bcdedit; boot code is not touched here."),
    (
        &["manage-bde", "unlock-bitlocker"],
        "Unlock the volume with a tool that can, with its recovery key, and mount it again.",
    ),
    (
        &["test-computersecurechannel", "reset-computermachinepassword", "netdom", "nltest", "add-computer"],
        "The domain can only be asked by the running machine; do this after it starts, with a local account.",
    ),
    (
        &["powershell", "pwsh"],
        "Write the PowerShell commands themselves as lines of the script; those on registry paths work here.",
    ),
];
