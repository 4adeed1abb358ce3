//! The query parameters with which a caller chooses a part of a list.

use ticketing_ports::vocabulary::paging::Page;
use ticketing_runtime::PagedList;
use utoipa::IntoParams;

use crate::errors::ApiError;
use crate::extract::read_object;

#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The number of the page, from 1. Cannot be combined with `after`.
    #[param(minimum = 1, default = 1)]
    page: Option<u32>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
    /// The `next` of an earlier answer of this list: the answer begins behind the last row of that one, also if rows
    /// were added since.
    after: Option<String>,
}

read_object!(PageQuery { page, per_page, after });

impl PageQuery {
    pub(crate) fn page(&self, list: PagedList) -> Result<Page, ApiError> {
        page(list, self.page, self.per_page, self.after.as_deref())
    }
}

pub(crate) fn page(
    list: PagedList,
    number: Option<u32>,
    size: Option<u32>,
    after: Option<&str>,
) -> Result<Page, ApiError> {
    let size = size.unwrap_or(Page::DEFAULT_SIZE);
    let page = match (number, after) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid_request("after", "cannot be combined with page"));
        }
        (None, Some(text)) => {
            let cursor = list.parse_cursor(text);
            let cursor = cursor.ok_or_else(|| {
                ApiError::invalid_request("after", "is not a value of next that this list has answered with")
            })?;
            Page::after(cursor, size)
        }
        (Some(0), None) => return Err(ApiError::invalid_request("page", "must be at least 1")),
        (number, None) => Page::new(number.unwrap_or(1), size),
    };
    page.ok_or_else(|| ApiError::invalid_request("per_page", format!("must be between 1 and {}", Page::MAX_SIZE)))
}
