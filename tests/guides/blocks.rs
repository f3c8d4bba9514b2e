//! The four registry blocks of the guides: as they are printed, and what they must leave in the hive.

use std::fmt::Write as _;

/// A value that a block sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// The key, below the control set.
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) data: Data,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    Dword(u32),
    ExpandSz(&'static str),
}

impl Data {
    /// What `/t` and `/d` say.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::Dword(number) => ("REG_DWORD", number.to_string()),
            Self::ExpandSz(text) => ("REG_EXPAND_SZ", format!("\"{text}\"")),
        }
    }

    /// The number of the type.
    pub(crate) fn kind(self) -> u64 {
        match self {
            Self::Dword(_) => 4,
            Self::ExpandSz(_) => 2,
        }
    }

    /// The bytes in the hive.
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Dword(number) => number.to_le_bytes().to_vec(),
            Self::ExpandSz(text) => text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect(),
        }
    }
}

const fn dword(key: &'static str, name: &'static str, number: u32) -> Wanted {
    Wanted { key, name, data: Data::Dword(number) }
}

const TLS_1_0: &str = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server";
const TLS_1_1: &str = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server";
const TLS_1_2: &str = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
const RDP_TCP: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";
const CRASH_CONTROL: &str = r"Control\CrashControl";

pub(crate) const TLS: &[Wanted] =
    &[dword(TLS_1_0, "Enabled", 1), dword(TLS_1_1, "Enabled", 1), dword(TLS_1_2, "Enabled", 1)];

pub(crate) const NLA: &[Wanted] = &[
    dword(RDP_TCP, "SecurityLayer", 1),
    dword(RDP_TCP, "UserAuthentication", 1),
    dword(RDP_TCP, "fAllowSecProtocolNegotiation", 1),
];

pub(crate) const DUMP: &[Wanted] = &[
    dword(CRASH_CONTROL, "CrashDumpEnabled", 1),
    Wanted { key: CRASH_CONTROL, name: "DumpFile", data: Data::ExpandSz(r"%SystemRoot%\MEMORY.DMP") },
    dword(CRASH_CONTROL, "NMICrashDump", 1),
];

pub(crate) const GPSVC: &[Wanted] = &[dword(r"Services\gpsvc", "Start", 4)];

pub(crate) const ALL: [(&str, &[Wanted]); 4] = [("tls", TLS), ("nla", NLA), ("dump", DUMP), ("gpsvc", GPSVC)];

/// A script as the guides print it: load, blocks for each control set, unload.
pub(crate) fn script(title: &str, blocks: &[&[Wanted]], sets: &[&str]) -> String {
    let mut text = format!("REM {title}\r\nreg load HKLM\\BROKENSYSTEM F:\\windows\\system32\\config\\SYSTEM\r\n\r\n");
    for block in blocks {
        for set in sets {
            for Wanted { key, name, data } in *block {
                let (kind, data) = data.words();
                let _ = write!(
                    text,
                    "REG ADD \"HKLM\\BROKENSYSTEM\\{set}\\{key}\" /v {name} /t {kind} /d {data} /f\r\n\r\n"
                );
            }
        }
    }
    text + "reg unload HKLM\\BROKENSYSTEM\r\n"
}
