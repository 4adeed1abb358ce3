//! What somebody searches events for, and what an event is found by. Every store compares both alike.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::vocabulary::event_details::EventDetails;
use crate::vocabulary::text::words;

/// What somebody searches events for: an event is found if all of it fits.
///
/// ```
/// use ticketing_ports::read_models::event_search::EventSearch;
///
/// let terms = ["word:cafe", "word:noir", "city:new york"].map(String::from).into();
/// assert!(EventSearch::new(Some("CAFÉ no"), Some("New York"), None).finds(&terms));
/// assert!(!EventSearch::new(Some("café blanc"), None, None).finds(&terms));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSearch(Vec<SearchTerm>);

/// One thing that is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchTerm {
    /// The event has a term that begins with this text.
    BeginsWith(String),
    /// The event has exactly this term.
    Is(String),
}

impl EventSearch {
    /// Searches for words, of which each may be only the beginning of one, in the texts of the event; for a city; and for
    /// a category. `None` searches for nothing of that kind.
    pub fn new(text: Option<&str>, city: Option<&str>, category: Option<&str>) -> Self {
        let begun = text
            .into_iter()
            .flat_map(words)
            .map(|word| SearchTerm::BeginsWith(format!("word:{word}")));
        let city = city.map(|city| SearchTerm::Is(city_term(city)));
        let category = category.map(|category| SearchTerm::Is(category_term(category)));
        Self(begun.chain(city).chain(category).collect())
    }

    /// Returns all that is searched for. Empty if every event is found.
    pub fn terms(&self) -> &[SearchTerm] {
        &self.0
    }

    /// Returns whether an event with these terms is found.
    pub fn finds(&self, terms: &BTreeSet<String>) -> bool {
        self.0.iter().all(|wanted| match wanted {
            SearchTerm::Is(whole) => terms.contains(whole),
            SearchTerm::BeginsWith(beginning) => {
                let from = (Bound::Included(beginning.as_str()), Bound::Unbounded);
                let next = terms.range::<str, _>(from).next();
                next.is_some_and(|next| next.starts_with(beginning))
            }
        })
    }
}

/// Returns the terms by which an event is found: the words of its name, category, genre and venue, and its city and
/// category as a whole.
pub fn terms_of(details: &EventDetails) -> BTreeSet<String> {
    let venue = &details.venue;
    let texts = [
        Some(&details.name),
        details.category.as_ref(),
        details.genre.as_ref(),
        Some(&venue.name),
        Some(&venue.city),
    ];
    let words = texts.into_iter().flatten().flat_map(|text| words(text.as_str()));
    let category = details
        .category
        .as_ref()
        .map(|category| category_term(category.as_str()));
    let whole = std::iter::once(city_term(venue.city.as_str())).chain(category);
    words.map(|word| format!("word:{word}")).chain(whole).collect()
}

fn city_term(city: &str) -> String {
    format!("city:{}", words(city).join(" "))
}

fn category_term(category: &str) -> String {
    format!("category:{}", words(category).join(" "))
}
