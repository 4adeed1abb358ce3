//! Parses what many fields of a request are: labels, and lists.

use ticketing_domain::refusal::FieldError;
use ticketing_ports::vocabulary::seating::Label;

/// Parses every item of a list, also after one has failed, so that all faults are reported together.
pub(crate) fn parse_each<'i, T: 'i, U>(
    items: impl IntoIterator<Item = &'i T>,
    field: &str,
    errors: &mut Vec<FieldError>,
    parse: impl Fn(&T, &str, &mut Vec<FieldError>) -> Option<U>,
) -> Option<Vec<U>> {
    let items = items.into_iter().enumerate();
    let parsed: Vec<_> = items
        .map(|(index, item)| parse(item, &format!("{field}[{index}]"), errors))
        .collect();
    parsed.into_iter().collect()
}

pub(crate) fn parse_label(text: &str, field: &str, errors: &mut Vec<FieldError>) -> Option<Label> {
    Label::new(text)
        .map_err(|invalid| errors.push(FieldError::new(field, invalid.to_string())))
        .ok()
}

pub(super) fn parse_optional(text: Option<&str>, field: &str, errors: &mut Vec<FieldError>) -> Option<Label> {
    text.and_then(|text| parse_label(text, field, errors))
}
