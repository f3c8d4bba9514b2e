//! SIDs that are the same on each Windows, with their SDDL aliases and names (MS-DTYP 2.4.2.4 and 2.5.1.1).

use super::sid::Sid;

/// The null SID, `S-1-0-0`: nobody.
pub const NULL: Sid = Sid::known(0, [0]);
/// Everyone, `S-1-1-0`.
pub const EVERYONE: Sid = Sid::known(1, [0]);
/// CREATOR OWNER, `S-1-3-0`: replaced by the owner when an ACE is inherited.
pub const CREATOR_OWNER: Sid = Sid::known(3, [0]);
/// CREATOR GROUP, `S-1-3-1`: replaced by the primary group when an ACE is inherited.
pub const CREATOR_GROUP: Sid = Sid::known(3, [1]);
/// OWNER RIGHTS, `S-1-3-4`: limits what the owner may do.
pub const OWNER_RIGHTS: Sid = Sid::known(3, [4]);
/// Authenticated Users, `S-1-5-11`.
pub const AUTHENTICATED_USERS: Sid = Sid::known(5, [11]);
/// SYSTEM, `S-1-5-18`.
pub const LOCAL_SYSTEM: Sid = Sid::known(5, [18]);
/// LOCAL SERVICE, `S-1-5-19`.
pub const LOCAL_SERVICE: Sid = Sid::known(5, [19]);
/// NETWORK SERVICE, `S-1-5-20`.
pub const NETWORK_SERVICE: Sid = Sid::known(5, [20]);
/// `BUILTIN\Administrators`, `S-1-5-32-544`.
pub const ADMINISTRATORS: Sid = Sid::known(5, [32, 544]);
/// `BUILTIN\Users`, `S-1-5-32-545`.
pub const USERS: Sid = Sid::known(5, [32, 545]);
/// `NT SERVICE\TrustedInstaller`: owner of what Windows itself installed.
pub const TRUSTED_INSTALLER: Sid =
    Sid::known(5, [80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464]);
/// ALL APPLICATION PACKAGES, `S-1-15-2-1`.
pub const ALL_APPLICATION_PACKAGES: Sid = Sid::known(15, [2, 1]);

impl Sid {
    /// The two letters that SDDL prints for this SID.
    ///
    /// Aliases relative to a domain or machine are never printed, nor are `HO` and `SH`, which older systems cannot
    /// read.
    #[must_use]
    pub fn sddl_alias(&self) -> Option<&'static str> {
        WELL_KNOWN.iter().find(|known| known.sid == *self).and_then(|known| match known.alias {
            Alias::Print(letters) => Some(letters),
            Alias::Read(_) | Alias::None => None,
        })
    }

    /// The name that Windows shows for this SID, in its English form.
    #[must_use]
    pub fn well_known_name(&self) -> Option<&'static str> {
        WELL_KNOWN.iter().find(|known| known.sid == *self).map(|known| known.name)
    }

    /// The SID with this name: one that [`Sid::well_known_name`] gives, in any case, with or without what stands in
    /// front of its backslash.
    #[must_use]
    pub fn from_well_known_name(name: &str) -> Option<Self> {
        let short = |known: &WellKnown| known.name.rsplit_once('\\').map_or(known.name, |(_, name)| name);
        let whole = WELL_KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name));
        let found = whole.or_else(|| WELL_KNOWN.iter().find(|known| short(known).eq_ignore_ascii_case(name)));
        found.map(|known| known.sid)
    }

    /// The names that [`Sid::well_known_name`] gives.
    pub fn well_known_names() -> impl Iterator<Item = &'static str> + Clone {
        WELL_KNOWN.iter().map(|known| known.name)
    }

    /// The SID that two SDDL letters stand for on any machine. The letters may be of either case.
    #[must_use]
    pub fn from_sddl_alias(letters: &str) -> Option<Self> {
        WELL_KNOWN.iter().find(|known| known.alias.is(letters)).map(|known| known.sid)
    }
}

/// A SID below the SID of a domain or machine, as an SDDL alias.
pub(super) struct RelativeAlias {
    pub(super) letters: &'static str,
    pub(super) rid: u32,
    pub(super) authority: Authority,
}

impl RelativeAlias {
    /// The alias with these letters, of either case.
    pub(super) fn find(letters: &str) -> Option<&'static Self> {
        RELATIVE.iter().find(|alias| alias.letters.eq_ignore_ascii_case(letters))
    }
}

/// Whose SID an SDDL alias is relative to.
#[derive(Clone, Copy)]
pub(super) enum Authority {
    Domain,
    ForestRoot,
    Machine,
}

struct WellKnown {
    alias: Alias,
    sid: Sid,
    name: &'static str,
}

#[derive(Clone, Copy)]
enum Alias {
    /// Read and printed.
    Print(&'static str),
    /// Read only: part of the current SDK, refused by the systems before.
    Read(&'static str),
    None,
}

impl Alias {
    fn is(self, letters: &str) -> bool {
        match self {
            Self::Print(own) | Self::Read(own) => own.eq_ignore_ascii_case(letters),
            Self::None => false,
        }
    }
}

const fn known(alias: Alias, sid: Sid, name: &'static str) -> WellKnown {
    WellKnown { alias, sid, name }
}

const fn relative(letters: &'static str, rid: u32, authority: Authority) -> RelativeAlias {
    RelativeAlias { letters, rid, authority }
}

/// Each row but those of `HO` and `SH` was compared with bytes that Windows wrote.
static WELL_KNOWN: &[WellKnown] = &[
    known(Alias::None, NULL, "NULL SID"),
    known(Alias::Print("WD"), EVERYONE, "Everyone"),
    known(Alias::None, Sid::known(2, [0]), "LOCAL"),
    known(Alias::None, Sid::known(2, [1]), "CONSOLE LOGON"),
    known(Alias::Print("CO"), CREATOR_OWNER, "CREATOR OWNER"),
    known(Alias::Print("CG"), CREATOR_GROUP, "CREATOR GROUP"),
    known(Alias::None, Sid::known(3, [2]), "CREATOR OWNER SERVER"),
    known(Alias::None, Sid::known(3, [3]), "CREATOR GROUP SERVER"),
    known(Alias::Print("OW"), OWNER_RIGHTS, "OWNER RIGHTS"),
    known(Alias::None, Sid::known(5, [1]), "NT AUTHORITY\\DIALUP"),
    known(Alias::Print("NU"), Sid::known(5, [2]), "NT AUTHORITY\\NETWORK"),
    known(Alias::None, Sid::known(5, [3]), "NT AUTHORITY\\BATCH"),
    known(Alias::Print("IU"), Sid::known(5, [4]), "NT AUTHORITY\\INTERACTIVE"),
    known(Alias::Print("SU"), Sid::known(5, [6]), "NT AUTHORITY\\SERVICE"),
    known(Alias::Print("AN"), Sid::known(5, [7]), "NT AUTHORITY\\ANONYMOUS LOGON"),
    known(Alias::None, Sid::known(5, [8]), "NT AUTHORITY\\PROXY"),
    known(Alias::Print("ED"), Sid::known(5, [9]), "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS"),
    known(Alias::Print("PS"), Sid::known(5, [10]), "NT AUTHORITY\\SELF"),
    known(Alias::Print("AU"), AUTHENTICATED_USERS, "NT AUTHORITY\\Authenticated Users"),
    known(Alias::Print("RC"), Sid::known(5, [12]), "NT AUTHORITY\\RESTRICTED"),
    known(Alias::None, Sid::known(5, [13]), "NT AUTHORITY\\TERMINAL SERVER USER"),
    known(Alias::None, Sid::known(5, [14]), "NT AUTHORITY\\REMOTE INTERACTIVE LOGON"),
    known(Alias::None, Sid::known(5, [15]), "NT AUTHORITY\\This Organization"),
    known(Alias::None, Sid::known(5, [17]), "NT AUTHORITY\\IUSR"),
    known(Alias::Print("SY"), LOCAL_SYSTEM, "NT AUTHORITY\\SYSTEM"),
    known(Alias::Print("LS"), LOCAL_SERVICE, "NT AUTHORITY\\LOCAL SERVICE"),
    known(Alias::Print("NS"), NETWORK_SERVICE, "NT AUTHORITY\\NETWORK SERVICE"),
    known(Alias::Print("WR"), Sid::known(5, [33]), "NT AUTHORITY\\WRITE RESTRICTED"),
    known(Alias::None, Sid::known(5, [64, 10]), "NT AUTHORITY\\NTLM Authentication"),
    known(Alias::None, Sid::known(5, [64, 14]), "NT AUTHORITY\\SChannel Authentication"),
    known(Alias::None, Sid::known(5, [64, 21]), "NT AUTHORITY\\Digest Authentication"),
    known(Alias::None, Sid::known(5, [113]), "NT AUTHORITY\\Local account"),
    known(Alias::None, Sid::known(5, [114]), "NT AUTHORITY\\Local account and member of Administrators group"),
    known(Alias::Print("UD"), Sid::known(5, [84, 0, 0, 0, 0, 0]), "NT AUTHORITY\\USER MODE DRIVERS"),
    known(Alias::Print("BA"), ADMINISTRATORS, "BUILTIN\\Administrators"),
    known(Alias::Print("BU"), USERS, "BUILTIN\\Users"),
    known(Alias::Print("BG"), Sid::known(5, [32, 546]), "BUILTIN\\Guests"),
    known(Alias::Print("PU"), Sid::known(5, [32, 547]), "BUILTIN\\Power Users"),
    known(Alias::Print("AO"), Sid::known(5, [32, 548]), "BUILTIN\\Account Operators"),
    known(Alias::Print("SO"), Sid::known(5, [32, 549]), "BUILTIN\\Server Operators"),
    known(Alias::Print("PO"), Sid::known(5, [32, 550]), "BUILTIN\\Print Operators"),
    known(Alias::Print("BO"), Sid::known(5, [32, 551]), "BUILTIN\\Backup Operators"),
    known(Alias::Print("RE"), Sid::known(5, [32, 552]), "BUILTIN\\Replicator"),
    known(Alias::Print("RU"), Sid::known(5, [32, 554]), "BUILTIN\\Pre-Windows 2000 Compatible Access"),
    known(Alias::Print("RD"), Sid::known(5, [32, 555]), "BUILTIN\\Remote Desktop Users"),
    known(Alias::Print("NO"), Sid::known(5, [32, 556]), "BUILTIN\\Network Configuration Operators"),
    known(Alias::None, Sid::known(5, [32, 557]), "BUILTIN\\Incoming Forest Trust Builders"),
    known(Alias::Print("MU"), Sid::known(5, [32, 558]), "BUILTIN\\Performance Monitor Users"),
    known(Alias::Print("LU"), Sid::known(5, [32, 559]), "BUILTIN\\Performance Log Users"),
    known(Alias::None, Sid::known(5, [32, 560]), "BUILTIN\\Windows Authorization Access Group"),
    known(Alias::None, Sid::known(5, [32, 561]), "BUILTIN\\Terminal Server License Servers"),
    known(Alias::None, Sid::known(5, [32, 562]), "BUILTIN\\Distributed COM Users"),
    known(Alias::Print("IS"), Sid::known(5, [32, 568]), "BUILTIN\\IIS_IUSRS"),
    known(Alias::Print("CY"), Sid::known(5, [32, 569]), "BUILTIN\\Cryptographic Operators"),
    known(Alias::Print("ER"), Sid::known(5, [32, 573]), "BUILTIN\\Event Log Readers"),
    known(Alias::Print("CD"), Sid::known(5, [32, 574]), "BUILTIN\\Certificate Service DCOM Access"),
    known(Alias::Print("RA"), Sid::known(5, [32, 575]), "BUILTIN\\RDS Remote Access Servers"),
    known(Alias::Print("ES"), Sid::known(5, [32, 576]), "BUILTIN\\RDS Endpoint Servers"),
    known(Alias::Print("MS"), Sid::known(5, [32, 577]), "BUILTIN\\RDS Management Servers"),
    known(Alias::Print("HA"), Sid::known(5, [32, 578]), "BUILTIN\\Hyper-V Administrators"),
    known(Alias::Print("AA"), Sid::known(5, [32, 579]), "BUILTIN\\Access Control Assistance Operators"),
    known(Alias::Print("RM"), Sid::known(5, [32, 580]), "BUILTIN\\Remote Management Users"),
    known(Alias::None, Sid::known(5, [32, 581]), "BUILTIN\\System Managed Accounts Group"),
    known(Alias::None, Sid::known(5, [32, 582]), "BUILTIN\\Storage Replica Administrators"),
    known(Alias::None, Sid::known(5, [32, 583]), "BUILTIN\\Device Owners"),
    known(Alias::Read("HO"), Sid::known(5, [32, 584]), "BUILTIN\\User Mode Hardware Operators"),
    known(Alias::Read("SH"), Sid::known(5, [32, 585]), "BUILTIN\\OpenSSH Users"),
    known(Alias::Print("AC"), ALL_APPLICATION_PACKAGES, "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES"),
    known(Alias::None, Sid::known(15, [2, 2]), "APPLICATION PACKAGE AUTHORITY\\ALL RESTRICTED APPLICATION PACKAGES"),
    known(Alias::None, Sid::known(16, [0]), "Mandatory Label\\Untrusted Mandatory Level"),
    known(Alias::Print("LW"), Sid::known(16, [4096]), "Mandatory Label\\Low Mandatory Level"),
    known(Alias::Print("ME"), Sid::known(16, [8192]), "Mandatory Label\\Medium Mandatory Level"),
    known(Alias::Print("MP"), Sid::known(16, [8448]), "Mandatory Label\\Medium Plus Mandatory Level"),
    known(Alias::Print("HI"), Sid::known(16, [12_288]), "Mandatory Label\\High Mandatory Level"),
    known(Alias::Print("SI"), Sid::known(16, [16_384]), "Mandatory Label\\System Mandatory Level"),
    known(Alias::None, Sid::known(16, [20_480]), "Mandatory Label\\Protected Process Mandatory Level"),
    known(Alias::Print("AS"), Sid::known(18, [1]), "Authentication authority asserted identity"),
    known(Alias::Print("SS"), Sid::known(18, [2]), "Service asserted identity"),
    known(Alias::None, Sid::known(5, [80, 0]), "NT SERVICE\\ALL SERVICES"),
    known(Alias::None, TRUSTED_INSTALLER, "NT SERVICE\\TrustedInstaller"),
    known(Alias::None, Sid::known(5, [83, 0]), "NT VIRTUAL MACHINE\\Virtual Machines"),
];

static RELATIVE: &[RelativeAlias] = &[
    relative("RO", 498, Authority::ForestRoot),
    relative("DA", 512, Authority::Domain),
    relative("DU", 513, Authority::Domain),
    relative("DG", 514, Authority::Domain),
    relative("DC", 515, Authority::Domain),
    relative("DD", 516, Authority::Domain),
    relative("CA", 517, Authority::Domain),
    relative("SA", 518, Authority::ForestRoot),
    relative("EA", 519, Authority::ForestRoot),
    relative("PA", 520, Authority::Domain),
    relative("CN", 522, Authority::Domain),
    relative("AP", 525, Authority::Domain),
    relative("KA", 526, Authority::Domain),
    relative("EK", 527, Authority::ForestRoot),
    relative("RS", 553, Authority::Domain),
    relative("LA", 500, Authority::Machine),
    relative("LG", 501, Authority::Machine),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alias_stands_for_one_sid() {
        let absolute = WELL_KNOWN.iter().filter_map(|known| match known.alias {
            Alias::Print(letters) | Alias::Read(letters) => Some(letters),
            Alias::None => None,
        });
        let mut letters: Vec<_> = absolute.chain(RELATIVE.iter().map(|alias| alias.letters)).collect();
        let count = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!((count, letters.len()), (68, 68));
    }

    #[test]
    fn each_name_is_one_sids_with_and_without_its_authority() {
        for known in WELL_KNOWN {
            assert_eq!(Sid::from_well_known_name(&known.name.to_lowercase()), Some(known.sid), "{}", known.name);
            let short = known.name.rsplit('\\').next().unwrap();
            assert_eq!(Sid::from_well_known_name(&short.to_uppercase()), Some(known.sid), "{short}");
        }
    }

    #[test]
    fn printed_aliases_are_read_back() {
        for known in WELL_KNOWN {
            if let Some(letters) = known.sid.sddl_alias() {
                assert_eq!(Sid::from_sddl_alias(&letters.to_lowercase()), Some(known.sid), "{letters}");
            }
        }
    }
}
