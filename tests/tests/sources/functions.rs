//! How long functions are.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// Returns the name and the number of lines of every function with a body: in modules, implementations, traits and
/// tests, and in the arguments of macros.
pub(crate) fn functions(source: &str) -> Vec<(String, usize)> {
    let tokens: TokenStream = source.parse().expect("the source is Rust");
    let mut found = Vec::new();
    add_those_in(tokens, &mut found);
    found
}

fn add_those_in(tokens: TokenStream, found: &mut Vec<(String, usize)>) {
    /// Where the search is: between functions, after the word `fn`, or between the name of a function and its body.
    enum At {
        Between,
        Name(Span),
        Body(Span, String),
    }
    let mut at = At::Between;
    for token in tokens {
        at = match (at, &token) {
            (At::Between, TokenTree::Ident(word)) if word == "fn" => At::Name(word.span()),
            (At::Name(start), TokenTree::Ident(name)) => At::Body(start, name.to_string()),
            // A macro may name a function by an argument, as in `fn $name`.
            (At::Name(start), TokenTree::Punct(dollar)) if dollar.as_char() == '$' => At::Name(start),
            (At::Body(start, name), TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                found.push((name, body.span_close().end().line - start.start().line + 1));
                At::Between
            }
            (At::Body(..), TokenTree::Punct(end)) if end.as_char() == ';' => At::Between,
            (at @ At::Body(..), _) => at,
            _ => At::Between,
        };
        if let TokenTree::Group(group) = token {
            add_those_in(group.stream(), found);
        }
    }
}
