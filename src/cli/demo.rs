//! `hivesmith demo`

use std::{fs, io::Write as _, path::PathBuf};

use clap::Args;
use hivesmith::{
    Data, FileTime, Hive, NewHive, Recover, Result as EngineResult, Version,
    command::{run::Leniency, script::Script},
};

use super::{Common, Exit, Failure, Writing, mounts::Sources, run::run_script, stores::StoreSources};

/// Builds a broken sample installation, repairs it with a script of the documentation, and shows the difference.
///
/// Its SYSTEM hive is made by the engine itself, so this needs no Windows disk.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to build it: a new or empty folder; one below the temporary folder if none is given.
    folder: Option<PathBuf>,
}

/// What the documentation tells to do about a machine whose Remote Desktop fails with an internal error.
const SCRIPT: &str = r#"REM Repair of lost Remote Desktop, offline
reg load HKLM\BROKENSYSTEM F:\windows\system32\config\SYSTEM

REM Enable TLS 1.0, TLS 1.1 and TLS 1.2
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server" /v Enabled /t REG_DWORD /d 1 /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server" /v Enabled /t REG_DWORD /d 1 /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" /v Enabled /t REG_DWORD /d 1 /f

REM Enable NLA
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp" /v SecurityLayer /t REG_DWORD /d 1 /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp" /v UserAuthentication /t REG_DWORD /d 1 /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp" /v fAllowSecProtocolNegotiation /t REG_DWORD /d 1 /f

REM Suggested configuration to enable OS Dump
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\CrashControl" /v CrashDumpEnabled /t REG_DWORD /d 1 /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\CrashControl" /v DumpFile /t REG_EXPAND_SZ /d "%SystemRoot%\MEMORY.DMP" /f
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Control\CrashControl" /v NMICrashDump /t REG_DWORD /d 1 /f

REM Keep policies from changing it back
REG ADD "HKLM\BROKENSYSTEM\ControlSet001\Services\gpsvc" /v Start /t REG_DWORD /d 4 /f

reg unload HKLM\BROKENSYSTEM
"#;

impl Demo {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let folder = self.folder.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("hivesmith-demo-{}-{}", std::process::id(), FileTime::now().0))
        });
        let config = folder.join("Windows").join("System32").join("config");
        let is_empty = || fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none());
        if folder.symlink_metadata().is_ok() && !is_empty() {
            let message = format!("{}: is there and not empty; the demo builds in a new folder", folder.display());
            return Err(Failure::usage(message));
        }
        fs::create_dir_all(&config).map_err(|error| Failure::io(&config, &error))?;
        let hive = config.join("SYSTEM");
        let built = broken_system().and_then(|built| built.write_to(&hive));
        built.map_err(|error| Failure::of(&hive, &error))?;
        let script_path = folder.join("repair.cmd");
        fs::write(&script_path, SCRIPT).map_err(|error| Failure::io(&script_path, &error))?;
        let script =
            Script::parse("repair.cmd", SCRIPT.as_bytes()).map_err(|error| Failure::usage(error.to_string()))?;

        // With --json the document of the first run is all there is on stdout.
        let say = |text: String| -> Result<(), Failure> {
            if !common.json {
                writeln!(std::io::stdout().lock(), "{text}")?;
            }
            Ok(())
        };
        say(format!("1. a broken installation: {}", hive.display()))?;
        say(format!("   {}", state(&hive)?))?;
        let sources = Sources { drives: vec![format!("F:={}", folder.display())], ..Sources::default() };
        let writing = Writing { undo_dir: folder.join("undo"), ..Writing::default() };
        let run = || run_script(&script, (&sources, &StoreSources::default()), Leniency::default(), &writing, common);
        say(format!("\n2. hivesmith run {} --drive F:={}", script_path.display(), folder.display()))?;
        run()?;
        if !common.json {
            say("\n3. the same once more".to_owned())?;
            run()?;
        }
        say(format!("\n4. afterwards: {}", state(&hive)?))?;
        Ok(Exit::Done)
    }
}

/// Opens the hive as anybody would and says what the check finds and where Remote Desktop stands.
fn state(path: &std::path::Path) -> Result<String, Failure> {
    let described = || -> EngineResult<String> {
        let hive = Hive::options().read_only(true).recover(Recover::Refuse).open(path)?;
        let view = hive.view();
        let report = view.check();
        let number = |key: &str, value: &str| -> EngineResult<String> {
            let key = view.key(&format!(r"ControlSet001\{key}"))?;
            Ok(match key.map(|key| key.value(value)).transpose()?.flatten() {
                Some(value) => match value.decode()? {
                    Data::Dword(number) => number.to_string(),
                    other => format!("{other:?}"),
                },
                None => "not set".to_owned(),
            })
        };
        Ok(format!(
            "clean, {} keys, {} findings; TLS 1.2 server: {}, UserAuthentication: {}, gpsvc start: {}",
            report.totals.keys,
            report.findings.len(),
            number(r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server", "Enabled")?,
            number(r"Control\Terminal Server\WinStations\RDP-Tcp", "UserAuthentication")?,
            number(r"Services\gpsvc", "Start")?,
        ))
    };
    described().map_err(|error| Failure::of(path, &error))
}

/// A SYSTEM hive whose TLS is switched off and whose RDP listener asks for nothing.
fn broken_system() -> EngineResult<Hive> {
    let mut hive = NewHive::new(Version::V1_5).create()?;
    let mut txn = hive.begin()?;
    let root = txn.root();
    let select = txn.create_key(root, "Select")?;
    for (name, number) in [("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)] {
        txn.set_value(select, name, &Data::Dword(number))?;
    }
    let set = txn.create_key(root, "ControlSet001")?;
    for version in ["TLS 1.0", "TLS 1.2"] {
        let path = format!(r"Control\SecurityProviders\SCHANNEL\Protocols\{version}\Server");
        let server = txn.create_key(set, path.as_str())?;
        txn.set_value(server, "Enabled", &Data::Dword(0))?;
        txn.set_value(server, "DisabledByDefault", &Data::Dword(1))?;
    }
    let listener = txn.create_key(set, r"Control\Terminal Server\WinStations\RDP-Tcp")?;
    for (name, number) in [("PortNumber", 3389), ("SecurityLayer", 0), ("UserAuthentication", 0)] {
        txn.set_value(listener, name, &Data::Dword(number))?;
    }
    let crash = txn.create_key(set, r"Control\CrashControl")?;
    txn.set_value(crash, "CrashDumpEnabled", &Data::Dword(7))?;
    let services = [("gpsvc", 2), ("TermService", 3), ("SessionEnv", 3), ("Dnscache", 2), ("storvsc", 0)];
    for (name, start) in services {
        let service = txn.create_key(set, format!(r"Services\{name}").as_str())?;
        txn.set_value(service, "Start", &Data::Dword(start))?;
        txn.set_value(service, "ImagePath", &Data::ExpandSz(format!(r"%SystemRoot%\System32\{name}.dll")))?;
    }
    txn.commit()?;
    Ok(hive)
}
