//! URLs of databases. Both PostgreSQL and Redis have the name of the database in the path.

use anyhow::{Context, Result};

/// Returns the URL with another path.
pub(crate) fn with_path(url: &str, path: &str) -> Result<String> {
    let (scheme, rest) = url
        .split_once("://")
        .context("the address of the service is not a URL")?;
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let authority = rest.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_is_replaced() {
        for (url, expected) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/7"),
            ("redis://127.0.0.1:6379/", "redis://127.0.0.1:6379/7"),
            (
                "redis://:word@cache/3?protocol=resp3",
                "redis://:word@cache/7?protocol=resp3",
            ),
            (
                "postgres://a:b@db/postgres?sslmode=require",
                "postgres://a:b@db/7?sslmode=require",
            ),
        ] {
            assert_eq!(with_path(url, "7").unwrap(), expected);
        }
        assert!(with_path("cache:6379", "7").is_err());
    }
}
